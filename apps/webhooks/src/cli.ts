#!/usr/bin/env node
import { runService } from "@chat21/runtime";
import { webhooksProgram } from "./program.ts";

await runService(webhooksProgram, process.argv);
