#!/usr/bin/env node
import { runService } from "@chat21/runtime";
import { observerProgram } from "./program.ts";

await runService(observerProgram, process.argv);
