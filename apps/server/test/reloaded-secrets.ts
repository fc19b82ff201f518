import { createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { operatorApp } from "@chat21/runtime";
import { compatToken } from "@chat21/testkit";
import { expect, onTestFinished } from "vitest";
import { newDataDir, runChat21 } from "./server-process.ts";

/** A new secret of webhooks. */
export const webhookSecret = () => `whsec_${randomBytes(32).toString("base64")}`;

/** Gets webhooks, and says with which secrets the last one is signed. */
export interface SignedReceiver {
  readonly url: string;
  isSignedWith(secret: string): boolean;
}

/** Starts a receiver for one test. */
export async function startSignedReceiver(): Promise<SignedReceiver> {
  let last: { readonly headers: IncomingHttpHeaders; readonly text: string } | undefined;
  const server = createServer(async (request, response) => {
    last = { headers: request.headers, text: Buffer.concat(await request.toArray()).toString() };
    response.end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    isSignedWith(secret) {
      if (last === undefined) return false;
      const { headers, text } = last;
      const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${text}`;
      const key = Buffer.from(secret.slice("whsec_".length), "base64");
      const wanted = `v1,${createHmac("sha256", key).update(signed).digest("base64")}`;
      return String(headers["webhook-signature"]).split(" ").includes(wanted);
    },
  };
}

/** A running process that sends webhooks, and the file with their secrets. */
export interface SecretsProcess {
  readonly receiver: SignedReceiver;
  readonly file: string;
  /** The secret that the file has at the start. */
  readonly first: string;
  /** Where operators' commands go. */
  readonly url: string;
  /** Of tokens. */
  readonly secret: string;
  /** Of the process that sends. */
  readonly metricsUrl: string;
  /** Sends SIGHUP to it. */
  hangUp(): void;
}

/**
 * Secrets are rotated without a restart: SIGHUP puts the file's to use, both of `new|old`; a file that cannot be used
 * changes nothing, and is counted.
 */
export async function expectSecretsToBeReadAgain(process: SecretsProcess): Promise<void> {
  const { receiver, file, first, url, secret, metricsUrl, hangUp } = process;
  const token = compatToken("op", { secret, app: operatorApp, role: "admin" });
  const signedBy = async (...secrets: readonly string[]) => {
    const env = { CHAT21_DATA_DIR: newDataDir(), CHAT21_URL: url, CHAT21_TOKEN: token };
    const { code, stderr } = await runChat21(["webhooks", "test"], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return secrets.map(receiver.isSignedWith);
  };
  const second = webhookSecret();
  expect(await signedBy(first, second)).toEqual([true, false]);

  writeFileSync(file, `${second}|${first}\n`);
  hangUp();
  await expect.poll(() => signedBy(first, second)).toEqual([true, true]);

  writeFileSync(file, "whsec_short\n");
  hangUp();
  const refused = async () =>
    (await (await fetch(metricsUrl)).text()).includes('reloads_total{outcome="refused"} 1');
  await expect.poll(refused).toBe(true);
  expect(await signedBy(first, second)).toEqual([true, true]);

  writeFileSync(file, `${second}\n`);
  hangUp();
  await expect.poll(() => signedBy(first, second)).toEqual([false, true]);
}
