import { readFileSync } from "node:fs";

/** What Linux writes for an established connection, and for a timer that waits to ask a silent peer. */
const [established, probing] = ["01", "02"];

/**
 * Whether the system asks the peers of a listener's connections if they are still there (TCP keep-alive): one answer
 * for each connection to this IPv4 port, from the side of the server. Linux only.
 */
export function keepAliveProbes(port: number): readonly boolean[] {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  return readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = "", , state]) => local.endsWith(`:${hex}`) && state === established)
    .map(([, , , , , timer = ""]) => timer.startsWith(`${probing}:`));
}
