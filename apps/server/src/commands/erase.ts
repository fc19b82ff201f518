import { createInterface } from "node:readline/promises";
import type { ErasedUser } from "@chat21/people";
import { OperatorError } from "@chat21/runtime";
import { printJson, printLine } from "../output.ts";
import { accessServer, type ServerOptions } from "../server-access.ts";

/** Options of `chat21 erase`. */
export interface EraseOptions extends ServerOptions {
  readonly yes?: boolean;
}

/** Erases a person after asking. */
export async function erase(user: string, options: EraseOptions): Promise<void> {
  const server = accessServer(options);
  if (options.yes !== true) await confirm(user, options.app);
  const path = `apps/${encodeURIComponent(options.app)}/users/${encodeURIComponent(user)}/erase`;
  const erased = (await server.operate("POST", path)) as ErasedUser;
  const isUnknown =
    !erased.profile && erased.messages + erased.names + erased.groups + erased.instances === 0;
  if (options.json === true) printJson(erased);
  if (isUnknown)
    throw new OperatorError(`there is nothing of ${user} in ${options.app}; its tokens are ended`);
  if (options.json === true) return;
  printLine(`messages erased:     ${erased.messages}`);
  printLine(`groups left:         ${erased.groups}`);
  printLine(`profile:             ${erased.profile ? "removed" : "there was none"}`);
  printLine(`push registrations:  ${erased.instances}`);
  printLine(`names replaced:      ${erased.names}`);
  printLine(`recorded webhooks:   ${erased.webhooks}`);
}

async function confirm(user: string, app: string): Promise<void> {
  if (process.stdin.isTTY !== true)
    throw new OperatorError("this cannot be undone: say --yes to erase without being asked");
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await prompt.question(
    `Erase ${user} of ${app}: everything the person wrote, for good? Type the id to confirm: `,
  );
  prompt.close();
  if (answer.trim() !== user) throw new OperatorError("nothing was erased");
}
