import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { operatorApp } from "@chat21/runtime";
import { compatToken, type StartTopology, type Topology } from "@chat21/testkit";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { cliScript, newDataDir, runChat21 } from "./server-process.ts";

/** The server that the rows of the table speak to, and the things that earlier rows have made there. */
interface Facts {
  /** Of the endpoint that gets webhooks. */
  readonly endpoint: string;
  /** Id of the delivery that the endpoint does not take. */
  stuck: string;
  /** Id of the key that was made. */
  key: string;
}

/** One use of a command, with `--json`, and another one for something that is not there. */
interface Row {
  readonly command: string;
  /** For operators alone; others are for an app's admins. */
  readonly isOperators?: true;
  readonly args: (facts: Facts) => readonly string[];
  /** The lines that it prints, in order. */
  readonly prints: (facts: Facts) => readonly unknown[];
  /** Arguments that name something unknown, or that the server refuses. @default there are none */
  readonly unknown?: readonly string[];
  /** Keeps what later rows ask for. @default nothing */
  readonly keep?: (lines: readonly { readonly id: string }[], facts: Facts) => void;
}

const group = "group-commands";
const somewhere = (facts: object) => expect.objectContaining(facts);

/** Every command that speaks to a server and ends by itself, in an order in which each has something to work on. */
const rows: readonly Row[] = [
  {
    command: "users put",
    args: () => ["cy", "--fullname", "Cy C."],
    prints: () => [somewhere({ id: "cy", fullname: "Cy C." })],
    unknown: ["c^2Fy"],
  },
  {
    command: "users show",
    args: () => ["cy"],
    prints: () => [somewhere({ id: "cy", presence: "offline" })],
    unknown: ["nobody"],
  },
  { command: "users list", args: () => [], prints: () => [somewhere({ id: "cy", fullname: "Cy C." })] },
  {
    command: "groups create",
    args: () => ["Commands", "bo", "--owner", "cy", "--id", group],
    prints: () => [somewhere({ uid: group, owner: "cy", members: { bo: 1, cy: 1 } })],
    unknown: ["Commands", "--owner", "cy", "--id", "no-such-prefix"],
  },
  {
    command: "groups add",
    args: () => [group, "di", "ed"],
    prints: () => [{ added: "di" }, { added: "ed" }],
    unknown: ["group-none", "di"],
  },
  {
    command: "groups remove",
    args: () => [group, "ed"],
    prints: () => [{ removed: "ed" }],
    unknown: ["group-none", "di"],
  },
  {
    command: "groups show",
    args: () => [group],
    prints: () => [somewhere({ uid: group, members: { bo: 1, cy: 1, di: 1 } })],
    unknown: ["group-none"],
  },
  {
    command: "groups members",
    args: () => [group],
    prints: () => expect.arrayContaining([{ user: "bo" }, { user: "cy" }, { user: "di" }]),
    unknown: ["group-none"],
  },
  {
    command: "groups list",
    args: () => ["--user", "di"],
    prints: () => [somewhere({ uid: group, memberCount: 3 })],
    unknown: ["--user", "d^2Fi"],
  },
  {
    command: "send",
    args: () => ["bo", "stuck", "--as", "cy"],
    prints: () => [somewhere({ text: "stuck", sender: "cy", recipient: "bo", seq: 1 })],
    unknown: ["b^2Fo", "hello", "--as", "cy"],
  },
  {
    command: "history",
    args: () => ["bo", "--as", "cy"],
    prints: () => [somewhere({ seq: 1, message: somewhere({ text: "stuck" }) })],
    unknown: ["nobody", "--as", "cy"],
  },
  {
    command: "webhooks list",
    isOperators: true,
    args: () => [],
    prints: ({ endpoint }) => [somewhere({ enabled: true, endpoints: [endpoint] })],
  },
  {
    command: "webhooks log",
    isOperators: true,
    args: () => ["--state", "pending", "--event", "message-sent"],
    prints: ({ endpoint }) => [somewhere({ endpoint, state: "pending", event: "message-sent" })],
    unknown: ["--limit", "many"],
    keep: ([first], facts) => {
      facts.stuck = first?.id ?? "";
    },
  },
  {
    command: "webhooks skip",
    isOperators: true,
    args: ({ stuck }) => [stuck],
    prints: () => [{ skipped: 1 }],
    unknown: ["none"],
  },
  {
    command: "webhooks replay",
    isOperators: true,
    args: ({ stuck }) => [stuck],
    prints: () => [{ replayed: 1 }],
    unknown: ["none"],
  },
  {
    command: "webhooks retry",
    isOperators: true,
    args: ({ endpoint }) => [endpoint],
    prints: () => [{ retried: expect.any(Number) }],
    unknown: ["http://127.0.0.1:9/none"],
  },
  {
    command: "webhooks test",
    isOperators: true,
    args: () => [],
    prints: () => [somewhere({ delivered: true, status: 200 })],
    unknown: ["http://127.0.0.1:9/none"],
  },
  {
    command: "key create",
    isOperators: true,
    args: () => ["shop", "--expires", "90d"],
    prints: () => [somewhere({ user: "shop", key: expect.stringMatching(/^c21_/) })],
    unknown: ["s^2Fhop"],
    keep: ([first], facts) => {
      facts.key = first?.id ?? "";
    },
  },
  {
    command: "key list",
    isOperators: true,
    args: () => [],
    prints: ({ key }) => [somewhere({ id: key, user: "shop" })],
  },
  {
    command: "key revoke",
    isOperators: true,
    args: ({ key }) => [key],
    prints: ({ key }) => [{ revoked: key }],
    unknown: ["none"],
  },
  {
    command: "token revoke",
    args: () => ["bo"],
    prints: () => [{ user: "bo", revoked: "all" }],
    unknown: ["b^2Fo"],
  },
  {
    command: "users delete",
    args: () => ["cy"],
    prints: () => [{ removed: "cy" }],
    unknown: ["nobody"],
  },
  {
    command: "erase",
    isOperators: true,
    args: () => ["cy", "--yes"],
    prints: () => [somewhere({ messages: 1, groups: 1, profile: false })],
    unknown: ["nobody", "--yes"],
  },
];

/** The commands of {@link describeCommands}. */
export const describedCommands: readonly string[] = [...rows.map(({ command }) => command), "tail"];

/**
 * The contract of the commands that speak to a running server, for every one that has REST and MQTT at one address: with nothing but its address and a
 * token each does its work and prints JSON; what is unknown, and a token that is not taken, ends in exit code 1 and one line.
 */
export function describeCommands(name: string, startTopology: StartTopology): void {
  describe(`the commands of chat21, on ${name}`, () => {
    let server: Topology;
    let url: string;
    let facts: Facts;
    /** Does not take the event of the message "stuck". */
    const backend = createServer(async (request, response) => {
      const text = Buffer.concat(await request.toArray()).toString();
      response.writeHead(text.includes('"stuck"') && text.includes('"message-sent"') ? 500 : 200).end();
    });

    beforeAll(async () => {
      backend.listen(0, "127.0.0.1");
      await once(backend, "listening");
      const endpoint = `http://127.0.0.1:${(backend.address() as AddressInfo).port}/hook`;
      facts = { endpoint, stuck: "", key: "" };
      server = await startTopology({ webhookEndpoint: endpoint });
      url = new URL(server.apiUrl).origin;
    });
    afterAll(async () => {
      await server?.close();
      backend.close();
    });

    const tokenFor = (isOperators = false) =>
      compatToken("backend", {
        ...{ secret: server.secret, role: "admin" },
        ...(isOperators ? { app: operatorApp } : {}),
      });
    /** Nothing but an address and a token: no data folder, and no secret. */
    const remotely = (token: string) => ({
      CHAT21_DATA_DIR: newDataDir(),
      CHAT21_URL: url,
      CHAT21_TOKEN: token,
    });
    const run = ({ command, isOperators }: Row, args: readonly string[]) =>
      runChat21([...command.split(" "), ...args, "--json"], { env: remotely(tokenFor(isOperators)) });

    it.each(rows)("$command prints JSON", async (row) => {
      const attempt = async () => {
        const { code, stdout, stderr } = await run(row, row.args(facts));
        return {
          code,
          stderr,
          lines: stdout
            .trim()
            .split("\n")
            .filter(Boolean)
            .map((line) => JSON.parse(line)),
        };
      };
      // A message's event is recorded a moment after the message.
      if (row.command === "webhooks log")
        await expect.poll(async () => (await attempt()).lines).toHaveLength(1);
      const { code, stderr, lines } = await attempt();

      expect({ code, stderr, lines }).toEqual({ code: 0, stderr: "", lines: row.prints(facts) });
      row.keep?.(lines, facts);
    });

    it("tail prints JSON until it is interrupted", async () => {
      await runChat21(["users", "put", "fay"], { env: remotely(tokenFor()) });
      const tail = spawn(process.execPath, [cliScript, "tail", "--as", "fay", "--json"], {
        env: { PATH: process.env["PATH"], ...remotely(tokenFor()) },
        stdio: ["ignore", "pipe", "inherit"],
      });
      onTestFinished(() => void tail.kill());
      const lines = createInterface({ input: tail.stdout })[Symbol.asyncIterator]();
      const isOnline = async () => {
        const answer = await fetch(`${url}/api/v1/tilechat/users/fay`, {
          headers: { authorization: tokenFor() },
        });
        return ((await answer.json()) as { presence?: string }).presence;
      };
      // What comes before fay is there is history, and not shown.
      await expect.poll(isOnline).toBe("online");
      await runChat21(["send", "fay", "hello", "--as", "gus"], { env: remotely(tokenFor()) });
      const first = JSON.parse((await lines.next()).value as string);
      tail.kill("SIGINT");
      const [code] = (await once(tail, "exit")) as [number];

      expect(first).toMatchObject({ text: "hello", sender: "gus" });
      expect(code).toBe(0);
    });

    it.each(rows.filter(({ unknown }) => unknown !== undefined))(
      "$command ends with exit code 1 and one line for $unknown",
      async (row) => {
        expectOneLine(await run(row, row.unknown ?? []));
      },
    );

    it("say in one line that a token is not taken, on each way to the server: REST, operators' paths, MQTT", async () => {
      const bad = compatToken("backend", { secret: "of another server", role: "admin" });
      const ways = [
        ["users", "list"],
        ["webhooks", "list"],
        ["send", "bo", "hello", "--as", "cy"],
        ["tail", "--as", "fay"],
      ];
      for (const args of ways) expectOneLine(await runChat21(args, { env: remotely(bad) }), /unauthorized/);
    });
  });
}

function expectOneLine(
  { code, stderr }: { readonly code: number | null; readonly stderr: string },
  says = /./,
): void {
  expect(code, stderr).toBe(1);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  expect(stderr).toMatch(says);
  expect(stderr).not.toContain("not foreseen");
}
