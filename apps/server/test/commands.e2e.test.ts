import type { Command } from "commander";
import { afterAll, expect, test } from "vitest";
import { createProgram } from "../src/program.ts";
import { describeCommands, describedCommands } from "./describe-commands.ts";
import { removeDataDirs } from "./server-process.ts";
import { startEmbedded } from "./start-embedded.ts";

afterAll(removeDataDirs);

describeCommands("the embedded server", startEmbedded);

test("these are all commands that speak to a server", () => {
  const namesOf = (command: Command, name: string): readonly string[] => [
    ...(command.options.some(({ long }) => long === "--token") ? [name] : []),
    ...command.commands.flatMap((one) => namesOf(one, `${name} ${one.name()}`.trim())),
  ];

  expect(namesOf(createProgram(), "").toSorted()).toEqual(describedCommands.toSorted());
});
