// Creates everything that the file defines in the broker at RABBITMQ_MANAGEMENT_URI. Idempotent.
//   node rabbitmq-init.mjs definitions.json
import { readFile } from "node:fs/promises";

const uri = new URL(process.env["RABBITMQ_MANAGEMENT_URI"] ?? "");
const login = [uri.username, uri.password].map(decodeURIComponent).join(":");
const answer = await fetch(new URL("/api/definitions", uri.origin), {
  method: "POST",
  headers: {
    authorization: `Basic ${Buffer.from(login).toString("base64")}`,
    "content-type": "application/json",
  },
  body: await readFile(process.argv[2] ?? "", "utf8"),
  signal: AbortSignal.timeout(30_000),
});
if (!answer.ok) {
  console.error(`RabbitMQ answered ${answer.status}: ${(await answer.text()).slice(0, 500)}`);
  process.exit(1);
}
