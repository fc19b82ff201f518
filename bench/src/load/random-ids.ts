const idAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** Numbers of 0-1, 1 exclusive. */
export type Random = () => number;

/** Mulberry32: small, fast and good enough for a history. The same seed gives the same numbers. */
export function createRandom(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** An id of `length` characters, all of them allowed in ids of the wire. */
export function makeId(random: Random, length: number): string {
  let id = "";
  for (let i = 0; i < length; i++) id += idAlphabet[Math.floor(random() * 32)];
  return id;
}

/** A ULID, as our SDK makes them for `client_message_id`. */
export function ulid(timeMs: number, random: Random): string {
  let time = "";
  for (let rest = timeMs, i = 0; i < 10; i++, rest = Math.floor(rest / 32))
    time = idAlphabet[rest % 32] + time;
  return time + makeId(random, 16);
}

/** A UUID, as the server makes them for `message_id`. */
export function uuid(random: Random): string {
  const hex = (digits: number) =>
    Math.floor(random() * 16 ** digits)
      .toString(16)
      .padStart(digits, "0");
  return `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`;
}
