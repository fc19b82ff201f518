import { createServer } from "node:net";
import { Aedes } from "aedes";

/** The yardstick: aedes as it comes, one process, nothing stored, every publish passed through to its subscribers. */
const broker = await Aedes.createBroker({ concurrency: 100 });
const server = createServer({ noDelay: true }, (socket) => void broker.handle(socket));

server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("expected a TCP port");
  process.stdout.write(`${JSON.stringify({ port: address.port })}\n`);
});
process.on("SIGTERM", () => process.exit(0));
