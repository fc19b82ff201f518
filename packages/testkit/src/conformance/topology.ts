/** What a topology is started with. */
export interface TopologyOptions {
  /** Where every webhook event goes. */
  readonly webhookEndpoint: string;
}

/** A running Chat21, whatever it is made of, seen from outside only. */
export interface Topology {
  /** `ws://host:port/ws`, where existing clients connect (15675 in the field). */
  readonly mqttWsUrl: string;
  /** `mqtt://host:port`. */
  readonly mqttTcpUrl: string;
  /** Base of REST with `/api`, as `APIendpoint` of existing clients. */
  readonly apiUrl: string;
  /** Prometheus text. */
  readonly metricsUrl: string;
  /** Shared secret of HS256 tokens; tokens are made with it as existing issuers make them, nothing else is asked. */
  readonly secret: string;
  /**
   * Who judges a publish. `policy`: we do, and close the connection for every topic that is none of a client's. `scopes`:
   * a broker does, by the scopes of the token alone: what lies within them is acknowledged, and has no effect.
   */
  readonly publishesAreJudgedBy: "policy" | "scopes";
  /** Stops everything that was started. */
  close(): Promise<void>;
}

/** Starts a topology; resolves when it is ready to serve. */
export type StartTopology = (options: TopologyOptions) => Promise<Topology>;
