import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { compatToken, OldClient, testCertificate } from "@chat21/testkit";
import { afterAll, afterEach, expect, it, vi } from "vitest";
import { certificateFiles, firstCertificate, pemOf, shownBy } from "./certificates.ts";
import { expectSecretsToBeReadAgain, startSignedReceiver, webhookSecret } from "./reloaded-secrets.ts";
import { newDataDir, removeDataDirs, ServerProcess } from "./server-process.ts";

let server: ServerProcess | undefined;
afterEach(async () => {
  await server?.stop("SIGKILL");
  server = undefined;
});
afterAll(removeDataDirs);

const secret = "a-secret-that-is-long-enough-for-these-tests";
/** The text of a path, whoever shows the certificate. */
function textOf(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request(url, { rejectUnauthorized: false, agent: false }, async (answer) => {
      resolve(Buffer.concat(await answer.toArray()).toString());
    })
      .on("error", reject)
      .end();
  });
}

async function said(running: ServerProcess, text: string, times = 1): Promise<void> {
  await vi.waitFor(() => expect(running.stdout.split(text).length - 1).toBe(times), 5_000);
}

it("SIGHUP shows a new certificate to new connections, and keeps open ones", async () => {
  const files = certificateFiles();
  server = await ServerProcess.start({
    env: { CHAT21_JWT_SECRET: secret, CHAT21_TLS_CERT: files.cert, CHAT21_TLS_KEY: files.key },
  });
  const { url, mqttUrl, mqttWsUrl } = server;
  const open = [mqttUrl, mqttWsUrl].map((address, index) =>
    OldClient.connect({
      url: address,
      user: `u${index}`,
      token: compatToken(`u${index}`, { secret }),
    }),
  );
  const [overTcp, overWebSocket] = (await Promise.all(open)) as [OldClient, OldClient];

  files.write(testCertificate);
  server.signal("SIGHUP");
  await said(server, '"what":"the certificate","msg":"read again"');
  const shown = await Promise.all([url, mqttUrl].map(shownBy));
  await overTcp.send("u1", { text: "still here" }, 1);

  expect(pemOf(testCertificate.cert)).not.toBe(pemOf(firstCertificate.cert));
  expect(shown).toEqual([pemOf(testCertificate.cert), pemOf(testCertificate.cert)]);
  expect((await overWebSocket.nextMessage("u0")).payload.text).toBe("still here");
});

it("SIGHUP with a certificate that cannot be used keeps the one before, and says so", async () => {
  const files = certificateFiles();
  server = await ServerProcess.start({ env: { CHAT21_TLS_CERT: files.cert, CHAT21_TLS_KEY: files.key } });
  const { url, mqttUrl } = server;

  files.write({ cert: testCertificate.cert, key: firstCertificate.key });
  server.signal("SIGHUP");
  await said(server, "cannot be read again");
  const shown = await Promise.all([url, mqttUrl].map(shownBy));
  const metrics = await textOf(`${url}/metrics`);

  expect(shown).toEqual([pemOf(firstCertificate.cert), pemOf(firstCertificate.cert)]);
  expect(server.stdout).toMatch(/"what":"the certificate","reason":"CHAT21_TLS_CERT and CHAT21_TLS_KEY: .*/);
  expect(server.stdout).not.toContain("PRIVATE KEY");
  expect(metrics).toContain('chat21_reloads_total{outcome="refused"} 1');
});

it("SIGHUP puts a new token secret to use, and keeps whoever is connected", async () => {
  server = await ServerProcess.start();
  const { url, mqttUrl, dataDir } = server;
  const path = join(dataDir, "jwt-secret");
  const old = compatToken("a", { secret: readFileSync(path, "utf8").trim() });
  const fresh = compatToken("a", { secret });
  const statusOf = async (token: string) =>
    (await fetch(`${url}/api/tilechat/a/conversations`, { headers: { authorization: token } })).status;
  const client = await OldClient.connect({ url: mqttUrl, user: "a", token: old });
  const first = [await statusOf(old), await statusOf(fresh)];

  writeFileSync(path, `${secret}\n`);
  server.signal("SIGHUP");
  await said(server, '"what":"the keys of tokens","msg":"read again"');
  await client.send("a", { text: "still here" }, 1);

  expect(first).toEqual([200, 403]);
  expect([await statusOf(old), await statusOf(fresh)]).toEqual([403, 200]);
  expect((await client.nextMessage("a")).payload.text).toBe("still here");
});

it.each(["its own file", "WEBHOOK_SECRETS_FILE"])(
  "SIGHUP signs webhooks with the secrets of %s",
  async (which) => {
    const receiver = await startSignedReceiver();
    const dataDir = newDataDir();
    const given = `${dataDir}-secrets`;
    const isOwn = which === "its own file";
    writeFileSync(given, webhookSecret());
    const running = await ServerProcess.start({
      dataDir,
      env: {
        ...{
          CHAT21_JWT_SECRET: secret,
          WEBHOOK_ENDPOINTS: receiver.url,
          WEBHOOK_ALLOW_PRIVATE: "127.0.0.0/8",
        },
        ...(isOwn ? {} : { WEBHOOK_SECRETS_FILE: given }),
      },
    });
    server = running;
    const file = isOwn ? join(dataDir, "webhook-secret") : given;

    await expectSecretsToBeReadAgain({
      ...{ receiver, file, secret, url: running.url, metricsUrl: `${running.url}/metrics` },
      first: readFileSync(file, "utf8").trim(),
      hangUp: () => running.signal("SIGHUP"),
    });
  },
);

it("SIGUSR1 opens no debugger, and SIGUSR2 ends nothing", async () => {
  server = await ServerProcess.start();

  server.signal("SIGUSR1");
  server.signal("SIGUSR2");
  await said(server, "this signal has no meaning here", 2);

  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  expect(server.stderr).not.toContain("Debugger listening");
});
