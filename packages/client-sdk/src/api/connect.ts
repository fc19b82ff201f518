import { ChatError } from "@chat21/protocol";
import { TokenKeeper } from "../connection/token-keeper.ts";
import type { Chat } from "./chat.ts";
import type { Seams } from "./chat-client.ts";
import { ChatClient } from "./chat-client.ts";
import { clientStorage } from "./client-storage.ts";
import type { ConnectOptions, ResolvedOptions } from "./options.ts";
import { resolveOptions } from "./options.ts";

/**
 * Signs in and resolves when the client is online: subscribed, and caught up with the newest page of changes; with more
 * than 1,000 changed conversations the rest follows in the background. Rejects with a `ChatError`: `unauthorized`,
 * `token_expired`, `token_revoked`, `forbidden` for a token that is not accepted, `bad_request` for contradicting
 * options, and the last failure when `connectTimeoutMs` is over.
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
  const chat = await createClient(resolved, seams);
  const { signal } = resolved;
  const abort = () => void chat.close();
  signal?.addEventListener("abort", abort, { once: true });
  void chat.closed.then(() => signal?.removeEventListener("abort", abort));
  if (signal?.aborted) abort();
  const online = resolved.offlineStart ? undefined : untilOnline(chat, resolved);
  await chat.start();
  await online;
  chat.handOver();
  return chat;
}

async function createClient(options: ResolvedOptions, seams: Seams): Promise<ChatClient> {
  const tokens = new TokenKeeper(options.token);
  const { app, user } = await tokens.get();
  if (options.app !== undefined && options.app !== app) {
    throw new ChatError("bad_request", `the token is for the app ${app}, not for ${options.app}`);
  }
  const storage = clientStorage(options.storage, app, user);
  const deviceId = options.deviceId ?? (await storage.deviceId());
  return new ChatClient(options, { app, user, deviceId, tokens, storage }, seams);
}

/** Waits until the client is online, and closes it when this takes too long. */
async function untilOnline(chat: ChatClient, { clock, connectTimeoutMs }: ResolvedOptions): Promise<void> {
  let reason: ChatError | null = null;
  const online = new Promise<"online">((resolve) => {
    const stop = chat.onStatus((change) => {
      reason = change.reason ?? reason;
      if (change.status === "online") resolve("online");
      if (change.status !== "connecting") stop();
    });
  });
  let stopTimer: () => void = () => undefined;
  const timeout = new Promise<"timeout">((resolve) => {
    stopTimer = clock.after(connectTimeoutMs, () => resolve("timeout"));
  });
  const outcome = await Promise.race([online, timeout, chat.closed]);
  stopTimer();
  if (outcome === "online") return;
  await chat.close();
  throw (
    (outcome === "timeout" ? reason : outcome) ?? new ChatError("connection_lost", "the client was closed")
  );
}
