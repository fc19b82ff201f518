import { randomUUID } from "node:crypto";
import { type CompatTokenOptions, compatToken } from "./compat-token.ts";
import { OldClient, type OldClientOptions } from "./old-client.ts";
import { RestCaller } from "./rest-caller.ts";
import type { Topology } from "./topology.ts";
import type { WebhookReceiver } from "./webhook-receiver.ts";

/** A topology and its users. Each test uses new ids, so that tests share nothing. */
export class World {
  readonly topology: Topology;
  readonly webhooks: WebhookReceiver;
  readonly protocolVersion: 4 | 5;
  readonly #clients: OldClient[] = [];

  constructor(topology: Topology, webhooks: WebhookReceiver, protocolVersion: 4 | 5 = 4) {
    this.topology = topology;
    this.webhooks = webhooks;
    this.protocolVersion = protocolVersion;
  }

  /** Returns a new user id. */
  newUser(name: string): string {
    return `${name}-${randomUUID().slice(0, 8)}`;
  }

  /** Returns a new group id. */
  newGroup(): string {
    return `group-${randomUUID()}`;
  }

  /** Returns a new group id of 71 characters, as support desks use them. */
  newSupportGroup(): string {
    const hex = () => randomUUID().replaceAll("-", "");
    return `support-group-${hex().slice(0, 24)}-${hex()}`;
  }

  token(user: string, options: TokenOptions = {}): string {
    return compatToken(user, { ...options, secret: this.topology.secret });
  }

  /** Connects, over WebSocket by default. {@link World.leave} closes the connection. */
  async connect(user: string, options: Partial<OldClientOptions> = {}): Promise<OldClient> {
    const { protocolVersion, topology } = this;
    const common = { url: topology.mqttWsUrl, protocolVersion, user, token: this.token(user) };
    const client = await OldClient.connect({ ...common, ...options });
    this.#clients.push(client);
    return client;
  }

  /** Connects new users with these names. */
  async people<const Names extends readonly string[]>(
    ...names: Names
  ): Promise<{ readonly [Index in keyof Names]: OldClient }> {
    const clients = await Promise.all(names.map((name) => this.connect(this.newUser(name))));
    return clients as unknown as { readonly [Index in keyof Names]: OldClient };
  }

  rest(user: string, options: TokenOptions = {}): RestCaller {
    return new RestCaller(this.topology.apiUrl, this.token(user, options));
  }

  /** Returns REST with an admin token, as the backend of an existing deployment uses it. */
  admin(): RestCaller {
    return this.rest("100-APIADMIN", { role: "admin" });
  }

  /** Creates a group through REST as `owner`. */
  async createGroup(owner: string, members: readonly string[], group = this.newGroup()): Promise<string> {
    const answer = await this.rest(owner).post(`${app}/groups`, {
      group_name: "Team",
      group_id: group,
      group_members: Object.fromEntries(members.map((member) => [member, 1])),
    });
    if (answer.status !== 201)
      throw new Error(`creating ${group}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return group;
  }

  /** Returns the history of a direct conversation or a group from REST, newest first. */
  async history(user: string, conversWith: string): Promise<readonly Record<string, unknown>[]> {
    const answer = await this.rest(user).get(`${app}/${user}/conversations/${conversWith}/messages`);
    if (answer.status !== 200) throw new Error(`history: ${answer.status}`);
    return answer.body.result;
  }

  /** Returns the sum of a Prometheus counter over all series that have the given labels. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const text = await (await fetch(this.topology.metricsUrl)).text();
    const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
    return text
      .split("\n")
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .filter((line) => wanted.every((label) => line.includes(label)))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
  }

  /** Disconnects all clients that are still connected. */
  async leave(): Promise<void> {
    await Promise.all(this.#clients.splice(0).map((client) => client.cut().catch(() => {})));
  }
}

/** The app id that existing clients have built in. */
export const app = "tilechat";

type TokenOptions = Omit<CompatTokenOptions, "secret">;
