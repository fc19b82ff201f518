import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { measureFsyncMs } from "./measure/fsync-time.ts";
import { runGroup, runPairs } from "./scenarios/closed-loop.ts";
import { runIdle } from "./scenarios/idle.ts";
import { runOpenLoop } from "./scenarios/open-loop.ts";
import { openChat21Target } from "./targets/chat21-target.ts";
import { startBareTarget, startEdgeTarget } from "./targets/spawned-targets.ts";
import type { Target } from "./targets/target.ts";

const usage = `bench: drives an MQTT server and prints one line of JSON per scenario

  node bench/src/main.ts --scenario <name> --target <target> [options]

scenarios
  pairs   closed loop: --pairs 20 --window 8
  open    open loop:   --pairs 20 --rate 200
  group   one group:   --members 20 --senders 4 --window 8
  idle    connections that do nothing: --connections 2000

targets
  bare                aedes as it comes, started for the run
  edge                our edge with an engine that stores nothing, started for the run
  mqtt://host:port, ws://host:port/ws
                      a running Chat21; needs --secret, for its CPU and memory --pid, for groups --api

options
  --carrier tcp  or ws, of servers that are started for the run
  --seconds 10   measured time        --warmup 3      seconds before it
  --repeat 1     how many times       --fsync-dir     folder whose disk is timed (default: temporary files)
`;

const { values } = parseArgs({
  options: {
    scenario: { type: "string", default: "pairs" },
    target: { type: "string", default: "bare" },
    carrier: { type: "string", default: "tcp" },
    pairs: { type: "string", default: "20" },
    window: { type: "string", default: "8" },
    rate: { type: "string", default: "200" },
    members: { type: "string", default: "20" },
    senders: { type: "string", default: "4" },
    connections: { type: "string", default: "2000" },
    seconds: { type: "string", default: "10" },
    warmup: { type: "string", default: "3" },
    repeat: { type: "string", default: "1" },
    secret: { type: "string", default: process.env["CHAT21_JWT_SECRET"] ?? "" },
    pid: { type: "string" },
    api: { type: "string" },
    "fsync-dir": { type: "string", default: tmpdir() },
    help: { type: "boolean", short: "h", default: false },
  },
});

type NumberName =
  | "pairs"
  | "window"
  | "rate"
  | "members"
  | "senders"
  | "connections"
  | "seconds"
  | "warmup"
  | "repeat";

function number(name: NumberName): number {
  const value = Number(values[name]);
  if (!(value >= 0)) throw new Error(`--${name}: expected a number, got ${values[name]}`);
  return value;
}

function openTarget(): Promise<Target> | Target {
  const carrier = values.carrier === "ws" ? "ws" : "tcp";
  if (values.target === "bare") return startBareTarget(carrier);
  if (values.target === "edge") return startEdgeTarget(carrier);
  const pid = values.pid === undefined ? null : Number(values.pid);
  return openChat21Target({ url: values.target, secret: values.secret, apiUrl: values.api, pid });
}

function run(target: Target): Promise<object> {
  const times = { warmupMs: number("warmup") * 1_000, measureMs: number("seconds") * 1_000 };
  const window = number("window");
  switch (values.scenario) {
    case "pairs":
      return runPairs(target, { pairs: number("pairs"), window, ...times });
    case "open":
      return runOpenLoop(target, { pairs: number("pairs"), rate: number("rate"), ...times });
    case "group":
      return runGroup(target, { members: number("members"), senders: number("senders"), window, ...times });
    case "idle":
      return runIdle(target, { connections: number("connections"), measureMs: times.measureMs });
    default:
      throw new Error(`--scenario: there is no ${values.scenario}`);
  }
}

const parameters = {
  pairs: ["pairs", "window"],
  open: ["pairs", "rate"],
  group: ["members", "senders", "window"],
  idle: ["connections"],
} as const;

if (values.help) {
  process.stdout.write(usage);
} else {
  const names = parameters[values.scenario as keyof typeof parameters] ?? [];
  const asked = Object.fromEntries(names.map((name) => [name, number(name)]));
  for (let i = 0; i < number("repeat"); i++) {
    const target = await openTarget();
    try {
      const result = await run(target);
      const fsyncMs = Number(measureFsyncMs(values["fsync-dir"]).toFixed(3));
      const line = {
        scenario: values.scenario,
        target: target.name,
        carrier: new URL(target.url).protocol.slice(0, -1),
        ...asked,
        ...result,
        fsyncMs,
      };
      process.stdout.write(`${JSON.stringify(line)}\n`);
    } finally {
      await target.close();
    }
  }
}
