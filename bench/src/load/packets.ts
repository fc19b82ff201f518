/** First bytes of the packets that a load generator meets. */
export const header = {
  connack: 0x20,
  publish: 0x30,
  puback: 0x40,
  suback: 0x90,
  pingresp: 0xd0,
} as const;

/** CONNECT of MQTT 3.1.1 with a clean session. */
export function encodeConnect(options: {
  readonly clientId: string;
  readonly username: string;
  readonly password: string;
  readonly keepAliveSeconds: number;
}): Buffer {
  const { keepAliveSeconds } = options;
  const head = [0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 0xc2, keepAliveSeconds >>> 8, keepAliveSeconds & 0xff];
  const strings = [options.clientId, options.username, options.password].map(encodeString);
  return encodePacket(0x10, Buffer.concat([Buffer.from(head), ...strings]));
}

/** SUBSCRIBE to one filter. */
export function encodeSubscribe(packetId: number, filter: string, qos: 0 | 1): Buffer {
  return encodePacket(0x82, Buffer.concat([uint16(packetId), encodeString(filter), Buffer.from([qos])]));
}

/** A QoS 1 PUBLISH whose identifier is at `packetIdAt`, to be copied and patched for every message. */
export function encodePublish(
  topic: string,
  payload: Buffer,
): { readonly packet: Buffer; readonly packetIdAt: number } {
  const variable = Buffer.concat([encodeString(topic), uint16(0)]);
  const packet = encodePacket(header.publish | 2, Buffer.concat([variable, payload]));
  return { packet, packetIdAt: packet.length - payload.length - 2 };
}

function encodePacket(first: number, body: Buffer): Buffer {
  const head = [first];
  let length = body.length;
  for (; length >= 128; length = Math.floor(length / 128)) head.push((length % 128) | 0x80);
  head.push(length);
  return Buffer.concat([Buffer.from(head), body]);
}

function encodeString(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([uint16(bytes.length), bytes]);
}

function uint16(value: number): Buffer {
  return Buffer.from([value >>> 8, value & 0xff]);
}
