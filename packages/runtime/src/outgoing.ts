import { Agent, buildConnector, type Dispatcher, EnvHttpProxyAgent, fetch } from "undici";
import { OperatorError } from "./failure.ts";
import type { Environment } from "./read-settings.ts";

/** How long one address of a host is tried before the next: Node's own 250 ms give up distant hosts, milliseconds. */
export const connectAttemptMs = 2_000;

/** Proxies for requests to other hosts. */
export interface Proxies {
  /** Address of the proxy for `http:`, with its name and password where it asks for them; `""`: none. */
  readonly http: string;
  /** The same for `https:`; `""`: that for `http:`. */
  readonly https: string;
  /** Hosts that are reached without a proxy, between commas, each with the hosts below it; `*`: all. */
  readonly except: string;
}

/** This machine is never asked for through a proxy. */
const ownNames = ["localhost", "127.0.0.1", "[::1]"];

/**
 * Reads `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`; as elsewhere, the same names in small letters win. Throws
 * `OperatorError` for an address that cannot be used, without showing it: it may hold a password.
 */
export function readProxies(environment: Environment): Proxies {
  const read = (name: string) => (environment[name.toLowerCase()] ?? environment[name] ?? "").trim();
  const address = (name: string) => {
    const text = read(name);
    if (text === "") return text;
    const url = URL.parse(text);
    if (url !== null && /^https?:$/.test(url.protocol) && url.hostname !== "") return text;
    throw new OperatorError(`${name}: expected an address such as http://proxy.example:3128`);
  };
  return { http: address("HTTP_PROXY"), https: address("HTTPS_PROXY"), except: read("NO_PROXY") };
}

/** Whether requests to addresses of this protocol may go through a proxy. */
export function hasProxy({ http, https }: Proxies, protocol: string): boolean {
  return http !== "" || (protocol === "https:" && https !== "");
}

/** Options of {@link createOutgoingAgent}. */
export interface OutgoingOptions extends Agent.Options {
  readonly proxies: Proxies;
  /** Opens connections that go through no proxy. @default each address of a host has 2 s */
  readonly connect?: buildConnector.connector;
  /** Milliseconds until a connection must be up. */
  readonly connectTimeoutMs: number;
}

/** A pool of connections for requests to other hosts: through a proxy where one is set, else each address has 2 s. */
export function createOutgoingAgent(options: OutgoingOptions): Dispatcher {
  const { proxies, connect, connectTimeoutMs: timeout, ...others } = options;
  const patient = { autoSelectFamily: true, autoSelectFamilyAttemptTimeout: connectAttemptMs };
  const direct = { ...others, connect: connect ?? buildConnector({ ...patient, timeout }) };
  if (proxies.http === "" && proxies.https === "") return new Agent(direct);
  return new EnvHttpProxyAgent({
    ...direct,
    ...{ httpProxy: proxies.http, httpsProxy: proxies.https, proxyTls: { ...patient, timeout } },
    noProxy: proxies.except === "*" ? "*" : [...ownNames, proxies.except].join(","),
  });
}

/** The part of `fetch` that look-ups need. */
export type OutgoingFetch = (
  url: string,
  options: {
    readonly headers: Record<string, string>;
    readonly signal: AbortSignal;
    /** @default "follow" */
    readonly redirect?: "error";
  },
) => Promise<{
  readonly status: number;
  readonly body: AsyncIterable<Uint8Array> | null;
  text(): Promise<string>;
}>;

/** `fetch` with the rules of {@link createOutgoingAgent}. Its errors name every address that was tried. */
export function createOutgoingFetch(options: OutgoingOptions): OutgoingFetch {
  const dispatcher = createOutgoingAgent(options);
  return async (url, request) => {
    try {
      return await fetch(url, { ...request, dispatcher });
    } catch (thrown) {
      throw new Error(connectFailure(thrown), { cause: thrown });
    }
  };
}

/** One line about why there was no answer: one reason for each address that was tried; each names its own. */
export function connectFailure(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  if (thrown instanceof AggregateError) return thrown.errors.map(connectFailure).join("; ");
  const { cause } = thrown;
  // `fetch` says no more than that it failed.
  const isVague = thrown.message === "" || thrown.message === "fetch failed";
  return isVague && cause instanceof Error ? connectFailure(cause) : thrown.message || thrown.name;
}
