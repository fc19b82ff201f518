import { pageAddress } from "./page-address.ts";
import { signInKey } from "./sign-in-key.ts";

/**
 * Asks this page's server for a token. It gives one in development mode, on loopback, to who has its key. Never throws.
 */
export async function signInByName(app: string, user: string, fullname: string): Promise<SignInOutcome> {
  let response: Response;
  try {
    response = await fetch(`${pageAddress()}/api/v1/${encodeURIComponent(app)}/signin/development`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ user, fullname, key: signInKey() }),
    });
  } catch {
    return { result: "unreachable" };
  }
  const body = await bodyOf(response);
  const { code } = body;
  if (response.status === 404) return { result: "unavailable", code };
  if (response.ok && typeof body["token"] === "string")
    return { result: "signed-in", token: body["token"], user };
  if (code === "forbidden") return { result: "no-key", code };
  if (response.status >= 500) return { result: "unreachable" };
  return { result: "refused", code, reason: reasonOf(body, response.status) };
}

/** The outcome of a sign-in by name. Only a Chat21 server gives a `code`; a proxy's own page has none. */
export type SignInOutcome =
  | { readonly result: "signed-in"; readonly token: string; readonly user: string }
  /** This server does not offer sign-in by name. */
  | { readonly result: "unavailable"; readonly code?: unknown }
  /** The key of the printed address is missing, or it is another server's. */
  | { readonly result: "no-key"; readonly code?: unknown }
  /** The server refused, with a reason. */
  | { readonly result: "refused"; readonly code?: unknown; readonly reason: string }
  /** The server did not answer. */
  | { readonly result: "unreachable" };

function reasonOf(problem: Record<string, unknown>, status: number): string {
  const texts = [problem["detail"], problem["title"]];
  return (
    texts.find((text): text is string => typeof text === "string" && text !== "") ??
    `The server answered ${status}.`
  );
}

async function bodyOf(response: Response): Promise<Record<string, unknown>> {
  const body: unknown = await response.json().catch(() => null);
  return typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
}
