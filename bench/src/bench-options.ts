import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import type { ClientKind } from "./load/message-template.ts";
import { readingShape } from "./load/reading-history.ts";
import { type ObserverFault, observerFaults } from "./scenarios/failover.ts";
import type { Carrier } from "./targets/carrier.ts";
import { isServiceTarget } from "./targets/service-targets.ts";

/** Text of `--help`. */
export const usage = `bench: drives an MQTT server over real sockets and prints one line of JSON per measurement

  node bench/src/main.ts --scenario <name> --target <target> [options]
  node bench/src/main.ts --scenario all

scenarios
  pairs    closed loop: --pairs 20 senders, each with its own recipient and --window 8 messages under way
  open     open loop:   --rate 200 messages a second over --pairs 20, whether or not earlier ones have arrived
  group    closed loop: one group of --members 20, of whom --senders 4 write with --window 8 each
  idle     --connections 2000 that subscribe and do nothing, then as many more
  stored   pairs against an empty store and one of --messages 1000000, in turns, --repeat 5 times (chat21 only)
  reading  REST on a store that is filled first: syncs of a user with --conversations 10000, of which none or 500 have
           changed (--rounds 20 times); the first page of 50,000; eight lists at once of 1,000 texts of 60 KiB each
           (chat21 and cluster only; the other numbers are in proportion to --conversations)
  all      everything above against bare and chat21 in turns, --repeat 3 times; ends with tables in Markdown
  two-observers  pairs against one observer and two, in turns, --repeat 3 times (cluster only)
  failover       --rate messages a second over two observers, one of which suffers --fault (cluster only): how long
                 the slowest pair got nothing, and what was lost, came twice or in the wrong order
  all --target cluster
                 pairs, open and group against relay, rabbit-bare and the cluster in turns, two-observers, failover,
                 reading

targets
  bare     aedes as it comes, started for the run: passes messages through and stores nothing
  edge     our edge with an engine that stores nothing, started for the run
  chat21   apps/server as it is built, started for the run with a data folder of its own
  cluster  apps/observer as it is built, with a RabbitMQ and a MongoDB that are started for the run; --observers 1;
           a queue takes the events for backends; cluster-no-events: without
  nodes    \`chat21 node\` as it is built, with a RabbitMQ and a MongoDB that are started for the run; --nodes 1. Of
           several nodes each has every second (third, …) user, so that senders and recipients are apart;
           nodes-no-events: without events
  relay    the cluster's yardstick on a RabbitMQ of its own: same way in, a copy to every inbox, no rule, no store
  rabbit-bare  RabbitMQ's MQTT plugin alone: passes messages through
  mqtt://host:port, ws://host:port/ws
           a Chat21 that runs already; needs --secret; for its CPU and memory --pid, for groups --api

options
  --seconds 5       measured time of a run
  --warmup 2        seconds before it; 5 by default on RabbitMQ, where fewer messages make the code warm
  --repeat <n>      how many times                     default: 1 (stored 5, all 3)
  --against <dir>   pairs, open, group, idle or all against chat21, cluster or nodes: the built server of another checkout
                    in that folder and this one's in turns, --repeat 3 times; ends with medians, and ratios of new to old
  --carrier tcp     or ws, for servers that are started for the run
  --data-dir <dir>  where data folders are made and fsync is timed; default: the folder for temporary files
  --cpu-prof <dir>  chat21, cluster and nodes only: writes a CPU profile of every thread there
  --fault all       or kill (SIGKILL), pause (SIGSTOP, SIGCONT), half-open (broker and observer do not reach each other)
  --client sdk      or old: failover with clients that give their messages no id
  --secret <s>      of a running server's tokens; default: CHAT21_JWT_SECRET
  --pid <n>         process of a running server
  --api <url>       REST of a running server, such as http://127.0.0.1:8010/api
  -h, --help        this text

Exit code 1: a message was lost, duplicated or reordered, an answer was not whole, or the run could not be made.
`;

const text = (value: string) => ({ type: "string", default: value }) as const;

const options = {
  scenario: text("pairs"),
  target: text("bare"),
  carrier: text("tcp"),
  pairs: text("20"),
  window: text("8"),
  rate: text("200"),
  members: text("20"),
  senders: text("4"),
  connections: text("2000"),
  messages: text("1000000"),
  conversations: text("10000"),
  rounds: text("20"),
  observers: text("1"),
  nodes: text("1"),
  fault: text("all"),
  client: text("sdk"),
  seconds: text("5"),
  warmup: { type: "string" },
  repeat: { type: "string" },
  secret: text(process.env["CHAT21_JWT_SECRET"] ?? ""),
  pid: { type: "string" },
  api: { type: "string" },
  against: { type: "string" },
  "data-dir": text(tmpdir()),
  "cpu-prof": { type: "string" },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** The run that was asked for, checked. */
export type BenchOptions = ReturnType<typeof parseOptions>;

/** Reads the command line. Throws an error that says what was wrong with it. */
export function parseOptions(args: readonly string[]) {
  const { values } = parseArgs({ args: [...args], options });
  const number = (name: Exclude<keyof typeof values, "help">, otherwise?: number): number => {
    const given = values[name];
    if (given === undefined && otherwise !== undefined) return otherwise;
    const value = Number(given);
    if (given === "" || !(value >= 0)) throw new Error(`--${name}: expected a number, got ${given}`);
    return value;
  };
  const choice = <T extends string>(name: "carrier" | "client" | "fault", choices: readonly T[]): T => {
    const given = choices.find((one) => one === values[name]);
    if (given === undefined)
      throw new Error(`--${name}: expected ${choices.join(" or ")}, got ${values[name]}`);
    return given;
  };
  const needsServices = isServiceTarget(values.target) || values.scenario === "two-observers";
  const fault = choice<ObserverFault | "all">("fault", ["all", ...observerFaults]);
  return {
    scenario: values.scenario,
    target: values.target,
    carrier: choice<Carrier>("carrier", ["tcp", "ws"]),
    client: choice<ClientKind>("client", ["sdk", "old"]),
    faults: fault === "all" ? observerFaults : [fault],
    observers: number("observers"),
    nodes: number("nodes"),
    parameters: {
      pairs: number("pairs"),
      window: number("window"),
      rate: number("rate"),
      members: number("members"),
      senders: number("senders"),
      connections: number("connections"),
    },
    messages: number("messages"),
    reading: readingShape(number("conversations")),
    rounds: number("rounds"),
    times: {
      warmupMs: number("warmup", needsServices ? 5 : 2) * 1_000,
      measureMs: number("seconds") * 1_000,
    },
    repeat: (otherwise: number) => number("repeat", otherwise),
    secret: values.secret,
    pids: values.pid === undefined ? [] : [number("pid")],
    api: values.api,
    against: values.against,
    dataDir: values["data-dir"],
    cpuProfileDir: values["cpu-prof"],
    help: values.help,
  };
}
