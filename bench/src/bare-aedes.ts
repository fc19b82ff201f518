import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { Aedes } from "aedes";
import { createWebSocketStream, WebSocketServer } from "ws";
import { announce } from "./targets/announce.ts";

/** The yardstick: aedes as it comes, one process, nothing stored, every publish passed through to its subscribers. */
const broker = await Aedes.createBroker({ concurrency: 100 });

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

const http = createHttpServer();
new WebSocketServer({ server: http, perMessageDeflate: false }).on("connection", (socket, request) => {
  broker.handle(createWebSocketStream(socket), request);
});
const tcpPort = await listen(createServer({ noDelay: true }, (socket) => void broker.handle(socket)));
announce({ tcp: `mqtt://127.0.0.1:${tcpPort}`, ws: `ws://127.0.0.1:${await listen(http)}/ws` });
