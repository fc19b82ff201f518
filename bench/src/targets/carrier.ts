/** The transport under MQTT. */
export type Carrier = "tcp" | "ws";

/** Where a server listens, by carrier. */
export type CarrierUrls = Readonly<Record<Carrier, string>>;
