import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { commandLine } from "../src/invocation.ts";
import { type ReadyFacts, readyMessage } from "../src/ready-message.ts";

const facts: ReadyFacts = {
  url: "http://127.0.0.1:8010",
  signInUrl: "http://127.0.0.1:8010/#key=Zm9v",
  hasWebPage: true,
  mqttUrl: "mqtt://127.0.0.1:1883",
  mqttWsUrl: "ws://127.0.0.1:8010/ws",
  dataDir: "/home/me/my chat/.chat21",
  command: "npx @chat21/server",
  namesDataDir: false,
  startedInMs: 321,
};
const show = (more: Partial<ReadyFacts> = {}) =>
  stripVTControlCharacters(readyMessage({ ...facts, ...more }));

describe("what start shows at a terminal", () => {
  it("is one address, the next step, and a few more facts", () => {
    expect(show()).toMatchInlineSnapshot(`
      "
        Chat21 is running:  http://127.0.0.1:8010/#key=Zm9v  (in 321 ms)
        Open it in two windows, sign in with two names, and chat.

          a message  npx @chat21/server send alice "Hello" --as bob
          MQTT       mqtt://127.0.0.1:1883  ws://127.0.0.1:8010/ws
          data       /home/me/my chat/.chat21
          more       npx @chat21/server --help

        Ctrl+C stops it.
      "
    `);
  });

  it("is a way to sign in where there is no sign-in by name", () => {
    expect(show({ signInUrl: null })).toContain("Sign in with a token: npx @chat21/server token alice\n");
  });

  it("can be typed as it stands when the folder was named", () => {
    expect(show({ namesDataDir: true })).toContain('--as bob --data-dir "/home/me/my chat/.chat21"\n');
  });
});

describe("how chat21 is started here", () => {
  it.each([
    [{ npm_package_name: "chat21" }, "/clone/apps/server/dist/cli.js", "npx -y pnpm@12 chat21"],
    [{}, "/home/me/.npm/_npx/ab12/node_modules/.bin/chat21", "npx @chat21/server"],
    [{}, "/usr/local/bin/chat21", "chat21"],
    [{}, `${process.cwd()}/dist/cli.js`, "node dist/cli.js"],
  ])("with %j as %s is %s", (environment, script, command) => {
    expect(commandLine(["node", script], environment)).toBe(command);
  });
});
