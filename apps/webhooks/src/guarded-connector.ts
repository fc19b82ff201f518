import { type LookupAddress, lookup as systemLookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { ChatError } from "@chat21/protocol";
import { connectAttemptMs } from "@chat21/runtime";
import { buildConnector } from "undici";
import type { AddressPolicy } from "./address-policy.ts";

/** All addresses of a host name. The system's resolver, unless a test brings its own. */
export type Resolve = (
  hostname: string,
  callback: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void;

/** Options of {@link createGuardedConnector}. */
export interface GuardedConnectorOptions {
  readonly policy: AddressPolicy;
  /** Milliseconds until a connection must be up. */
  readonly connectTimeoutMs: number;
  /** @default the system's resolver */
  readonly resolve?: Resolve;
}

const resolveBySystem: Resolve = (hostname, callback) =>
  systemLookup(hostname, { all: true }, (error, addresses) => callback(error, addresses ?? []));

/**
 * Opens connections to allowed addresses only. The address that was checked is the one that is connected to: a name
 * that changes its answer in between (DNS rebinding) gains nothing, and a name with allowed and refused addresses is
 * reached by the allowed ones. Refusals are `ChatError` `forbidden`.
 */
export function createGuardedConnector(options: GuardedConnectorOptions): buildConnector.connector {
  const { policy, connectTimeoutMs, resolve = resolveBySystem } = options;
  const lookup: LookupFunction = (hostname, { all }, callback) =>
    resolve(hostname, (error, addresses) => {
      const allowed = addresses.filter(({ address }) => policy.allows(address));
      const [first] = allowed;
      if (error !== null) callback(error, []);
      else if (first === undefined)
        callback(
          refusal(
            hostname,
            addresses.map(({ address }) => address),
          ),
          [],
        );
      else if (all === true) callback(null, [...allowed]);
      else callback(null, first.address, first.family);
    });
  const connect = buildConnector({
    ...{ allowH2: false, timeout: connectTimeoutMs, lookup },
    ...{ autoSelectFamily: true, autoSelectFamilyAttemptTimeout: connectAttemptMs },
  });
  return (target, callback) => {
    const literal = target.hostname.replace(/^\[(.*)\]$/, "$1");
    // `net.connect` asks no resolver about a literal address, so the guard stands here as well.
    if (isIP(literal) !== 0 && !policy.allows(literal)) callback(refusal(target.hostname, [literal]), null);
    else connect(target, callback);
  };
}

/**
 * Checks a host before a request that goes through a proxy. Which address it is connected to, the proxy decides: here a
 * literal address is checked, and a name that this machine knows by refused addresses alone. Rejects with `ChatError`
 * `forbidden`.
 */
export async function requireAllowedHost(
  { policy, resolve = resolveBySystem }: Pick<GuardedConnectorOptions, "policy" | "resolve">,
  hostname: string,
): Promise<void> {
  const literal = hostname.replace(/^\[(.*)\]$/, "$1");
  const addresses =
    isIP(literal) === 0
      ? await new Promise<readonly LookupAddress[]>((done) => {
          // Behind a proxy a machine often knows no names of the world.
          resolve(literal, (error, found) => done(error === null ? found : []));
        })
      : [{ address: literal, family: isIP(literal) }];
  if (addresses.length === 0 || addresses.some(({ address }) => policy.allows(address))) return;
  throw refusal(
    hostname,
    addresses.map(({ address }) => address),
  );
}

/** The error that says why a host is refused. */
function refusal(hostname: string, addresses: readonly string[]): ChatError {
  const [address] = addresses;
  if (address === undefined) return new ChatError("forbidden", `${hostname} has no address`);
  return new ChatError("forbidden", `${address} is not a public address; WEBHOOK_ALLOW_PRIVATE can allow it`);
}
