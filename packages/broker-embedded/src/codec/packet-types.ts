/** First byte of each packet type. It includes the flags that MQTT fixes ([MQTT-2.2.2-1]). `auth` is of version 5. */
export const packetHeaders = {
  connect: 0x10,
  connack: 0x20,
  publish: 0x30,
  puback: 0x40,
  pubrec: 0x50,
  pubrel: 0x62,
  pubcomp: 0x70,
  subscribe: 0x82,
  suback: 0x90,
  unsubscribe: 0xa2,
  unsuback: 0xb0,
  pingreq: 0xc0,
  pingresp: 0xd0,
  disconnect: 0xe0,
  auth: 0xf0,
} as const;

/** Bits of the first byte that hold the packet's type. */
export const packetTypeMask = 0xf0;
