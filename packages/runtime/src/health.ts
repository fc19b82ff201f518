/** Whether a process can do its work, and why not. */
export interface Health {
  readonly ready: boolean;
  /** `ok`, or what is missing, as `store_unavailable`. */
  readonly reason: string;
}

/** The first of several healths that is not ready; else a ready one. */
export function combineHealth(...parts: readonly Health[]): Health {
  return parts.find(({ ready }) => !ready) ?? { ready: true, reason: "ok" };
}

/** The parts that decide the health of a process on the broker. */
export interface BrokerParts {
  readonly watch: { health(): Health };
  readonly engine: { health(): Health };
  /** `ready`: connected, and not blocked. */
  readonly edge: { readonly ready: boolean; readonly isBlocked: boolean };
}

/** Health of a process on the broker. */
export function brokerHealth({ watch, engine, edge }: BrokerParts): Health {
  const broken = edge.isBlocked ? "broker_blocked" : "broker_unavailable";
  const broker = { ready: edge.ready, reason: edge.ready ? "ok" : broken };
  return combineHealth(watch.health(), engine.health(), broker);
}
