import { describeConformance } from "@chat21/testkit";
import { afterAll } from "vitest";
import { removeDataDirs } from "./server-process.ts";
import { startEmbedded } from "./start-embedded.ts";

afterAll(removeDataDirs);

describeConformance("the embedded server", startEmbedded);
describeConformance("the embedded server", startEmbedded, 5);
