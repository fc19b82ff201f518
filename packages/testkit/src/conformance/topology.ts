/** A running Chat21 of one or more processes, seen from outside. */
export interface Topology {
  /** `ws://host:port/ws`, for existing clients (port 15675 in existing deployments). */
  readonly mqttWsUrl: string;
  /** `mqtt://host:port`. */
  readonly mqttTcpUrl: string;
  /** Base URL of REST, with `/api`: the `APIendpoint` of existing clients. */
  readonly apiUrl: string;
  /** URL of the metrics, in Prometheus text format. */
  readonly metricsUrl: string;
  /** Shared secret of HS256 tokens. The tokens have the form that existing issuers write, and need nothing else. */
  readonly secret: string;
  /**
   * The check of a publish over `mqttWsUrl`. `policy`: Chat21 checks it, and closes the connection for any topic that is not the
   * client's own. `scopes`: a broker checks only the scopes of the token; a useless topic within them is acknowledged
   * and has no effect.
   */
  readonly publishesAreJudgedBy: "policy" | "scopes";
  /**
   * What becomes of a connection that takes over the client id of an open one. `safe`: it stays. `racing`: a broker may
   * end it, or its subscription, together with the older one; the client has to connect once more.
   */
  readonly takeovers: "safe" | "racing";
  /** Stops all its processes. */
  close(): Promise<void>;
}

/** Starts a topology. Resolves when it is ready to serve. */
export type StartTopology = (options: TopologyOptions) => Promise<Topology>;

/** Settings of a topology. */
export interface TopologyOptions {
  /** URL that gets all webhook events. */
  readonly webhookEndpoint: string;
}
