import { ChatError } from "@chat21/protocol";
import { delay } from "../connection/clock.ts";
import type { TokenUser } from "../connection/token-keeper.ts";
import { TokenKeeper } from "../connection/token-keeper.ts";
import type { Chat } from "./chat.ts";
import type { Seams } from "./chat-client.ts";
import { ChatClient } from "./chat-client.ts";
import { clientStorage, lastUser } from "./client-storage.ts";
import type { ConnectOptions, ResolvedOptions } from "./options.ts";
import { resolveOptions } from "./options.ts";

/** How long an offline start waits for the token provider before it takes the user of the last time. */
const patienceMs = 1_000;

/**
 * Signs in and resolves when the client is online: subscribed, and caught up with the newest page of changes; with more
 * than 1,000 changed conversations the rest follows in the background. Rejects with a `ChatError`: `unauthorized`,
 * `token_expired`, `token_revoked`, `forbidden` for a token that is not accepted, `bad_request` for contradicting
 * options, and when `connectTimeoutMs` is over, the last failure, or `timeout` when there was none.
 *
 * Events begin in the next turn: handlers that are registered right after `await connect(…)` hear everything, also the
 * events that were missed since the last run of a client with a durable storage.
 */
export function connect(options: ConnectOptions): Promise<Chat> {
  return connectWith(options, {});
}

/** As {@link connect}, with replaced parts of the client. */
export async function connectWith(options: ConnectOptions, seams: Seams): Promise<Chat> {
  const resolved = resolveOptions(options);
  const { clock, connectTimeoutMs, offlineStart, signal } = resolved;
  const late = new AbortController();
  const stop = clock.after(connectTimeoutMs, () => late.abort());
  try {
    const chat = await createClient(resolved, seams, late.signal);
    const abort = () => void chat.close();
    signal?.addEventListener("abort", abort, { once: true });
    void chat.closed.then(() => signal?.removeEventListener("abort", abort));
    if (signal?.aborted) abort();
    const online = offlineStart ? undefined : untilOnline(chat, late.signal, connectTimeoutMs);
    await chat.start();
    await online;
    chat.handOver();
    return chat;
  } finally {
    stop();
  }
}

async function createClient(options: ResolvedOptions, seams: Seams, late: AbortSignal): Promise<ChatClient> {
  const { clock, storage: shared, token, offlineStart } = options;
  const tokens = new TokenKeeper(token, clock);
  const problems: ChatError[] = [];
  const report = (error: ChatError) => void problems.push(error);
  const known = offlineStart && tokens.renewable ? await lastUser(shared, report) : undefined;
  const { app, user } = await (known === undefined
    ? firstToken(tokens, options, late)
    : Promise.race([tokens.get(), delay(clock, patienceMs, late).then(() => known)]).catch((thrown) => {
        if (ChatError.fromUnknown(thrown).retryable) return known;
        throw thrown;
      }));
  if (options.app !== undefined && options.app !== app) {
    throw new ChatError("bad_request", `the token is for the app ${app}, not for ${options.app}`);
  }
  tokens.expect({ app, user });
  const storage = clientStorage(shared, app, user, report);
  const deviceId = options.deviceId ?? (await storage.deviceId());
  if (offlineStart) await storage.noteUser();
  return new ChatClient(options, { app, user, deviceId, tokens, storage, problems }, seams);
}

/** Asks the provider until it gives a token, refuses for good, or the time is over. */
async function firstToken(
  tokens: TokenKeeper,
  { backoff, clock, signal }: ResolvedOptions,
  late: AbortSignal,
): Promise<TokenUser> {
  const over = AbortSignal.any([late, signal ?? late]);
  over.addEventListener("abort", () => tokens.close());
  for (let attempt = 1; ; attempt++) {
    const failure = await tokens.get().catch(ChatError.fromUnknown);
    if (!(failure instanceof ChatError)) return failure;
    if (failure.retryable) await delay(clock, backoff(attempt), over);
    if (over.aborted || !failure.retryable) throw failure;
  }
}

/** Waits until the client is online, and closes it when this takes too long. */
async function untilOnline(chat: ChatClient, late: AbortSignal, timeoutMs: number): Promise<void> {
  let reason: ChatError | null = null;
  const online = new Promise<"online">((resolve) => {
    const stop = chat.onStatus((change) => {
      reason = change.reason ?? reason;
      if (change.status === "online") resolve("online");
      if (change.status !== "connecting") stop();
    });
  });
  const timeout = new Promise<"timeout">((resolve) => {
    if (late.aborted) resolve("timeout");
    late.addEventListener("abort", () => resolve("timeout"));
  });
  const outcome = await Promise.race([online, timeout, chat.closed]);
  if (outcome === "online") return;
  await chat.close();
  if (outcome === "timeout") throw reason ?? new ChatError("timeout", `not online within ${timeoutMs} ms`);
  throw outcome ?? new ChatError("connection_lost", "the client was closed");
}
