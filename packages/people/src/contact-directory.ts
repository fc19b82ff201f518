import type { Clock, Contact, Contacts, Log } from "@chat21/engine";
import { toOutsideId } from "@chat21/protocol";
import * as z from "zod";
import type { UserStore } from "./user-store.ts";

/** Ports and settings of a contact directory. */
export interface ContactDirectoryOptions {
  readonly users: Pick<UserStore, "get">;
  /** `GET {endpoint}/{id}` answers `{firstname, lastname, fullname?}`. @default no lookup */
  readonly endpoint?: string;
  readonly clock: Pick<Clock, "elapsed">;
  readonly log: Pick<Log, "debug">;
  /** Makes the requests. @default Node's own, which gives each address of a host 250 ms and knows no proxy */
  readonly fetch?: (
    url: string,
    options: { readonly headers: Record<string, string>; readonly signal: AbortSignal },
  ) => Promise<{ readonly status: number; text(): Promise<string> }>;
}

/** Bounds of the lookup. */
export const contactLimits = {
  /** Time that a name is kept. */
  keepMs: 120_000,
  keepCount: 10_000,
  /** A request that takes longer is given up: two addresses of a distant host have their turn, but no more. */
  timeoutMs: 5_000,
  /** Requests at the same time. */
  requests: 8,
  answerBytes: 64 * 1_024,
} as const;

const answerSchema = z.looseObject({
  fullname: z.string().nullish(),
  firstname: z.string().nullish(),
  lastname: z.string().nullish(),
});

/** Names from the users' profiles, else from a lookup endpoint, else the ids. Never throws. */
export function createContactDirectory(options: ContactDirectoryOptions): Contacts {
  const { users, endpoint, clock, log, fetch: request = fetch } = options;
  const asked = new Map<string, { readonly contact: Contact; readonly until: number }>();

  const fromProfile = async (app: string, user: string): Promise<Contact | undefined> => {
    const record = await users.get(app, user);
    if (record === null) return undefined;
    return contactOf(user, answerSchema.parse(JSON.parse(record.profile)));
  };

  const fromEndpoint = async (base: string, user: string): Promise<Contact> => {
    const known = asked.get(user);
    if (known !== undefined && known.until > clock.elapsed()) return known.contact;
    const contact = await ask(request, base, user).catch((err: unknown) => {
      log.debug({ err, user }, "contact lookup failed");
      return contactOf(user, {});
    });
    asked.delete(user);
    asked.set(user, { contact, until: clock.elapsed() + contactLimits.keepMs });
    const [oldest] = asked.keys();
    if (asked.size > contactLimits.keepCount && oldest !== undefined) asked.delete(oldest);
    return contact;
  };

  const find = async (app: string, user: string): Promise<Contact> => {
    const own = await fromProfile(app, user).catch(() => undefined);
    if (own !== undefined || endpoint === undefined) return own ?? contactOf(user, {});
    return fromEndpoint(endpoint, user);
  };

  return {
    async lookup(app, wanted) {
      const contacts: Contact[] = [];
      for (let from = 0; from < wanted.length; from += contactLimits.requests) {
        const some = wanted.slice(from, from + contactLimits.requests);
        contacts.push(...(await Promise.all(some.map((user) => find(app, user)))));
      }
      return contacts;
    },
  };
}

async function ask(
  request: NonNullable<ContactDirectoryOptions["fetch"]>,
  endpoint: string,
  user: string,
): Promise<Contact> {
  const url = `${endpoint.replace(/\/+$/, "")}/${encodeURIComponent(toOutsideId(user))}`;
  const response = await request(url, {
    headers: { accept: "application/json" },
    signal: AbortSignal.timeout(contactLimits.timeoutMs),
  });
  if (response.status !== 200) throw new Error(`the endpoint answered ${response.status}`);
  const text = await response.text();
  if (text.length > contactLimits.answerBytes) throw new Error("the answer is too large");
  return contactOf(user, answerSchema.parse(JSON.parse(text)));
}

/** The person's full name, else first and last, else one of them, else the id. */
/** The full name that these names make; empty when there is none. */
export function fullNameOf({ fullname, firstname, lastname }: z.infer<typeof answerSchema>): string {
  return fullname || [firstname, lastname].filter(Boolean).join(" ");
}

function contactOf(user: string, names: z.infer<typeof answerSchema>): Contact {
  const firstname = names.firstname ?? "";
  const lastname = names.lastname ?? "";
  return { fullname: fullNameOf(names) || toOutsideId(user), firstname, lastname };
}
