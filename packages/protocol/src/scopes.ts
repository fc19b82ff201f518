/** What a scope permits on what it names. */
export type ScopePermission = "configure" | "read" | "write";

/** Where clients are: the virtual host and the exchange of RabbitMQ's MQTT plugin. Every topology has these names. */
const virtualHost = "/";
const clientExchange = "amq.topic";

const scopeForm = /^rabbitmq\.(configure|read|write):([^/]*)\/([^/]*)(?:\/([^/]*))?$/s;

/** How every permission of a RabbitMQ begins, behind the name of the server that it is for. */
const permissionForm = /\.(?:configure|read|write|tag):/;

/**
 * Reads the claim `scope`: a list, or one text with spaces between. `undefined` for a token that does not have it, and for
 * a claim of others, such as `openid profile`, in which nothing is a permission of a RabbitMQ: these say nothing of Chat21.
 */
export function readScopes(claim: string | readonly string[] | undefined): Scopes | undefined {
  if (claim === undefined) return undefined;
  const scopes = typeof claim === "string" ? claim.split(" ").filter((scope) => scope !== "") : claim;
  const isOurs = scopes.length === 0 || scopes.some((scope) => permissionForm.test(scope));
  return isOurs ? new Scopes(scopes) : undefined;
}

/**
 * What the scopes of a token open, as RabbitMQ's OAuth 2 plugin reads them:
 * `rabbitmq.<configure|read|write>:<virtual host>/<name>[/<routing key>]`, each part percent-encoded, with `*` for any
 * text. Scopes of other forms, of other resources and for other virtual hosts than `/` open nothing. A token is read
 * once; the checks are linear in the length of the scopes.
 */
export class Scopes {
  readonly #grants: readonly Grant[];

  constructor(scopes: readonly string[]) {
    this.#grants = scopes.map(readScope).filter((grant) => grant !== null);
  }

  /** Whether nothing is opened at all: RabbitMQ refuses such a token when it connects. */
  get isEmpty(): boolean {
    return this.#grants.length === 0;
  }

  /** Whether a queue or an exchange is opened; the routing key of a scope does not matter here. */
  opens(permission: ScopePermission, name: string): boolean {
    return this.#grants.some((grant) => grant.permission === permission && matches(name, grant.name));
  }

  /** Whether a routing key of the clients' exchange is opened. A scope without a routing key opens none. */
  opensKey(permission: ScopePermission, routingKey: string): boolean {
    return this.#grants.some(
      ({ permission: granted, key }) => granted === permission && key !== null && matches(routingKey, key),
    );
  }

  /** Whether every routing key that begins so is opened, by one scope. */
  opensAllKeys(permission: ScopePermission, beginning: string): boolean {
    return this.#grants.some(
      ({ permission: granted, key }) =>
        granted === permission && key !== null && endsOpen(key) && matches(beginning, key),
    );
  }

  /** Whether all the user's own topics of this use are opened. */
  opensOwn(use: OwnUse, { app, user }: { readonly app: string; readonly user: string }): boolean {
    const own = `apps.${app}.users.${user}.`;
    if (use === "read") return this.opensAllKeys("read", own);
    const sends = this.opensAllKeys("write", `apps.${app}.outgoing.users.${user}.`);
    return use === "send" ? sends : sends && this.opensAllKeys("write", own);
  }
}

/** What a user does on its own topics: reads its inbox, sends messages, publishes on all that it publishes on. */
export type OwnUse = "read" | "send" | "write";

/** A text with `*` in it, split there and decoded. The last part is empty when any end matches. */
type Pattern = readonly string[];

interface Grant {
  readonly permission: ScopePermission;
  readonly name: Pattern;
  /** Routing keys of the clients' exchange; `null`: none. */
  readonly key: Pattern | null;
}

function readScope(scope: string): Grant | null {
  const [, permission, host = "", name = "", key] = scopeForm.exec(scope) ?? [];
  const hosts = readPattern(host);
  const names = readPattern(name);
  if (hosts === null || names === null || !matches(virtualHost, hosts)) return null;
  const keys = key === undefined || !matches(clientExchange, names) ? null : readPattern(key);
  return { permission: permission as ScopePermission, name: names, key: keys };
}

/** `null`: the text is not percent-encoded, and matches nothing. */
function readPattern(text: string): Pattern | null {
  try {
    return text.split("*").map((part) => decodeURIComponent(part.replaceAll("+", " ")));
  } catch {
    return null;
  }
}

/** Whether what matches still does with any more text at its end. */
function endsOpen(pattern: Pattern): boolean {
  return pattern.length > 1 && pattern.at(-1) === "";
}

/**
 * As the plugin does it: each part is sought once, from left to right. Where a part comes again behind its first place,
 * this finds less than a search that tries all places.
 */
function matches(text: string, [first = "", ...rest]: Pattern): boolean {
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const [index, part] of rest.entries()) {
    if (part === "") {
      if (index === rest.length - 1) return true;
      continue;
    }
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at === text.length;
}
