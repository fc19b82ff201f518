/** Asks this page's server for a token. It gives one in development mode and on loopback only. Never throws. */
export async function signInByName(app: string, user: string, fullname: string): Promise<SignInOutcome> {
  let response: Response;
  try {
    response = await fetch(`/api/v1/${encodeURIComponent(app)}/signin/development`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ user, fullname }),
    });
  } catch {
    return { result: "unreachable" };
  }
  if (response.status === 404) return { result: "unavailable" };
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  if (response.ok && typeof body["token"] === "string")
    return { result: "signed-in", token: body["token"], user };
  if (response.status >= 500) return { result: "unreachable" };
  return { result: "refused", reason: reasonOf(body, response.status) };
}

/** The outcome of a sign-in by name. */
export type SignInOutcome =
  | { readonly result: "signed-in"; readonly token: string; readonly user: string }
  /** This server does not offer sign-in by name. */
  | { readonly result: "unavailable" }
  /** The server refused, with a reason. */
  | { readonly result: "refused"; readonly reason: string }
  /** The server did not answer. */
  | { readonly result: "unreachable" };

function reasonOf(problem: Record<string, unknown>, status: number): string {
  const texts = [problem["detail"], problem["title"]];
  return (
    texts.find((text): text is string => typeof text === "string" && text !== "") ??
    `The server answered ${status}.`
  );
}
