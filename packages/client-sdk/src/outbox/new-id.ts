const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

let last = { time: 0, random: [] as number[] };

/**
 * A new ULID: 26 characters, unique. Within one process they ascend, also within a millisecond and when the clock goes
 * back.
 */
export function newId(now: number = Date.now()): string {
  const random =
    now > last.time
      ? [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte & 31)
      : next(last.random);
  last = { time: Math.max(now, last.time), random };
  let time = "";
  for (let rest = last.time, i = 0; i < 10; i++, rest = Math.floor(rest / 32))
    time = alphabet[rest % 32] + time;
  return time + random.map((digit) => alphabet[digit]).join("");
}

function next(digits: readonly number[]): number[] {
  const following = [...digits];
  for (let i = following.length - 1; i >= 0; i--) {
    following[i] = ((following[i] ?? 0) + 1) % 32;
    if (following[i] !== 0) break;
  }
  return following;
}
