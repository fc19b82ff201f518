/**
 * The first process of a container of the tests: joins it with the others through sockets in files, serves their names,
 * starts the image's command, and runs others beside it when it is asked to.
 */
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { createServer as createHttpServer } from "node:http";
import { connect, createServer, type Server } from "node:net";

/** What a container is started with, as JSON in the first argument. */
export interface Orders {
  readonly command: readonly string[];
  readonly directory: string;
  /** Ports of other containers, each with the file of its socket. */
  readonly outgoing: readonly { readonly port: number; readonly path: string }[];
  /** Own ports that others may use, each with the file of its socket. */
  readonly incoming: readonly { readonly port: number; readonly path: string }[];
  readonly controlPath: string;
  /** Where the names of other containers are served; `null` for none. */
  readonly namesPort: number | null;
}

/** How a command ended: its code, `null` where it did not run. */
export interface Ran {
  readonly code: number | null;
  readonly output: string;
}

const orders = JSON.parse(process.argv[2] ?? "") as Orders;

const join = (open: () => ReturnType<typeof connect>): Server =>
  createServer((socket) => {
    const other = open();
    socket.pipe(other).pipe(socket);
    const end = () => void [socket, other].map((one) => one.destroy());
    for (const one of [socket, other]) one.on("error", end).on("close", end);
  });

for (const { port, path } of orders.outgoing) join(() => connect(path)).listen(port, "127.0.0.1");
for (const { port, path } of orders.incoming) join(() => connect(port, "127.0.0.1")).listen(path);
if (orders.namesPort !== null) serveNames(orders.namesPort);

const [program = "", ...args] = orders.command;
const child = spawn(program, args, { cwd: orders.directory, stdio: "inherit" });
child.on("error", (error) => console.error(error.message));
const ended = new Promise<number | null>((resolve) =>
  child.on("close", resolve).on("error", () => resolve(127)),
);

createHttpServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "", "http://inside");
  if (pathname === "/stop") child.kill("SIGTERM");
  response.end(
    JSON.stringify(
      pathname === "/stop" ? await ended : await runHere(JSON.parse(searchParams.get("command") ?? "[]")),
    ),
  );
}).listen(orders.controlPath);

/** Runs a command beside the image's own, as an engine's health check and `exec` do. */
function runHere([program = "", ...rest]: readonly string[]): Promise<Ran> {
  if (child.exitCode !== null)
    return Promise.resolve({ code: null, output: `the command ended with ${child.exitCode}` });
  const run = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [run.stdout, run.stderr])
    stream.on("data", (chunk) => {
      output += chunk;
    });
  return new Promise((resolve) => {
    run.on("error", (error) => resolve({ code: null, output: error.message }));
    run.on("close", (code) => resolve({ code, output }));
  });
}

/** Answers every question for a name with this host, as the containers' ports are joined here (RFC 1035). */
function serveNames(port: number): void {
  const socket = createSocket("udp4");
  socket.on("message", (question, from) => {
    const header = Buffer.from(question.subarray(0, 12));
    header.writeUInt16BE(0x8180, 2);
    const end = question.indexOf(0, 12) + 5;
    const isAddress = question.readUInt16BE(end - 4) === 1;
    for (const [at, count] of [1, isAddress ? 1 : 0, 0, 0].entries()) header.writeUInt16BE(count, 4 + 2 * at);
    const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 127, 0, 0, 1]);
    socket.send(
      Buffer.concat([header, question.subarray(12, end), ...(isAddress ? [answer] : [])]),
      from.port,
      from.address,
    );
  });
  socket.bind(port, "127.0.0.1");
}
