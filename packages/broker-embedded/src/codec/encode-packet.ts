/** Encodes a whole packet: its header, its length, and the parts of its body. */
export function encodePacket(header: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([header]), encodeVariableInteger(body.length), body]);
}

/** Encodes a number of at most 28 bits, 7 of them in a byte. */
export function encodeVariableInteger(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = rest >> 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
