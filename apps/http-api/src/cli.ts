#!/usr/bin/env node
import { runService } from "@chat21/runtime";
import { apiProgram } from "./program.ts";

await runService(apiProgram, process.argv);
