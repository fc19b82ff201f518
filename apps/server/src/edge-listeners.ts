import type { EdgeLimits, EdgeListenerOptions } from "@chat21/broker-embedded";
import type { createHttpServer, TlsMaterial } from "@chat21/runtime";
import type { Express } from "express";
import type { Config } from "./config.ts";
import { peerAddress } from "./peer-address.ts";

/** Path of WebSocket MQTT. */
export const webSocketPath = "/ws";

/** The limits of the edge that the settings choose. */
export function edgeLimits({ sessionsPerUser }: Pick<Config, "sessionsPerUser">): Partial<EdgeLimits> {
  return sessionsPerUser === undefined ? {} : { maxSessionsPerUser: sessionsPerUser };
}

/** Where clients connect: WebSocket on the HTTP server, and the ports that the settings choose. */
export function edgeListeners(
  { host, mqttPort, mqttWsPort, trustProxy }: Pick<Config, "host" | "mqttPort" | "mqttWsPort" | "trustProxy">,
  tls: TlsMaterial | undefined,
  server: ReturnType<typeof createHttpServer>,
  app: () => Express | undefined,
): EdgeListenerOptions[] {
  const secured = tls === undefined ? {} : { tls };
  const addressed =
    trustProxy === false
      ? {}
      : {
          addressOf: (request: Parameters<typeof peerAddress>[0]) =>
            peerAddress(request, app()?.get("trust proxy fn")),
        };
  return [
    { kind: "http-server", server, path: webSocketPath, ...addressed },
    ...(mqttPort === null ? [] : [{ kind: "tcp" as const, host, port: mqttPort, ...secured }]),
    ...(mqttWsPort === null
      ? []
      : [{ kind: "ws" as const, host, port: mqttWsPort, path: webSocketPath, ...secured, ...addressed }]),
  ];
}
