import * as z from "zod";
import { type Channel, channels } from "./asyncapi-channels.ts";
import { paramNames } from "./route.ts";

type Json = Record<string, unknown>;

const parameters: Readonly<Record<string, string>> = {
  app: "The app's id.",
  user: "The user whose inbox or outbox it is: the token's own, in its wire form (ADR-0016).",
  conversWith: "The other person's id in its wire form, or the group's.",
  messageId: "The message's id, or the `tempUID` that its sender gave it.",
  device: "The device's id; `all` for every device of the user.",
  clientId: "The MQTT client's id.",
};

/** The AsyncAPI 3 document of the MQTT side, as a JSON value. */
export function buildAsyncApi(): Json {
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Chat21",
      version: "1",
      description:
        "What goes over MQTT 3.1.1, seen from the server: it receives what clients publish, and sends what they subscribe to. " +
        "One subscription, to `apps/{app}/users/{user}/#`, covers all of the latter.",
    },
    defaultContentType: "application/json",
    servers: {
      mqtt: { host: "{host}:1883", protocol: "mqtt", protocolVersion: "3.1.1", ...access },
      websocket: { host: "{host}", pathname: "/ws", protocol: "ws", protocolVersion: "3.1.1", ...access },
    },
    channels: Object.fromEntries(channels.map((channel) => [channel.id, channelOf(channel)])),
    operations: Object.fromEntries(channels.map((channel) => [channel.id, operationOf(channel)])),
    components: {
      messages: Object.fromEntries(
        channels.flatMap(({ messages }) =>
          Object.entries(messages).map(([name, schema]) => [name, { name, payload: payloadOf(schema) }]),
        ),
      ),
      securitySchemes: {
        token: {
          type: "userPassword",
          description: "The password is the token. The user name is ignored; clients write `JWT`.",
        },
      },
    },
  };
}

const access = {
  variables: { host: { default: "localhost", description: "Where the server is reached." } },
  security: [{ $ref: "#/components/securitySchemes/token" }],
};

function channelOf({ address, summary, messages }: Channel): Json {
  return {
    address,
    summary,
    parameters: Object.fromEntries(
      paramNames(address).map((name) => [name, { description: parameters[name] }]),
    ),
    messages: Object.fromEntries(
      Object.keys(messages).map((name) => [name, { $ref: `#/components/messages/${name}` }]),
    ),
  };
}

function operationOf({ id, action, summary, messages, answeredOn }: Channel): Json {
  return {
    action,
    summary,
    channel: { $ref: `#/channels/${id}` },
    messages: Object.keys(messages).map((name) => ({ $ref: `#/channels/${id}/messages/${name}` })),
    ...(answeredOn === undefined ? {} : { reply: { channel: { $ref: `#/channels/${answeredOn}` } } }),
  };
}

/** A schema in AsyncAPI's own dialect. */
function payloadOf(schema: z.core.$ZodType): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, {
    target: "draft-7",
    unrepresentable: "any",
  });
  return rest;
}
