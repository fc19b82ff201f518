import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { RequiredRabbit } from "@chat21/testkit/services";
import { startDetached, stopProcess } from "../processes.ts";
import { runCommand } from "../run-command.ts";

/** A RabbitMQ for one test. The test may stop it, start it again with the same data, and set its limits. */
export class OwnBroker {
  readonly rabbit: RequiredRabbit;
  readonly #control: NonNullable<RequiredRabbit["control"]>;
  #pid: number;

  constructor(rabbit: RequiredRabbit) {
    if (rabbit.control === null || rabbit.pid === null) throw new Error("the broker is not the test's own");
    this.rabbit = rabbit;
    this.#control = rabbit.control;
    this.#pid = rabbit.pid;
  }

  /** Sends SIGTERM, like a host that shuts down. Resolves when the process is gone. */
  stop(): Promise<void> {
    return stopProcess(this.#pid);
  }

  /** Starts the broker. Resolves when it serves. */
  async start(): Promise<void> {
    const { command, env } = this.#control;
    const folder = env["HOME"] ?? "";
    await startDetached({
      command: command.replace(/rabbitmqctl$/, "rabbitmq-server"),
      args: [],
      env,
      logPath: join(folder, "rabbitmq.log"),
    });
    await this.ctl("wait", env["RABBITMQ_PID_FILE"] ?? "", "--timeout", "60");
    await this.ctl("await_startup", "--timeout", "60");
    this.#pid = Number(await readFile(env["RABBITMQ_PID_FILE"] ?? "", "utf8"));
  }

  /** Runs `rabbitmqctl`. */
  ctl(...args: readonly string[]): Promise<string> {
    const { command, node, env } = this.#control;
    return runCommand(command, ["--node", node, ...args], { env });
  }

  /** Stops the broker and removes its data. */
  async close(): Promise<void> {
    await this.stop();
    await this.rabbit.stop();
  }
}
