#!/usr/bin/env node
import { runService } from "@chat21/runtime";
import manifest from "../package.json" with { type: "json" };
import { loadObserverConfig, observerSettings } from "./config.ts";
import { createObserver } from "./create-observer.ts";
import { migrateDatabase } from "./migrate-database.ts";

await runService(
  {
    name: "chat21-observer",
    version: manifest.version,
    purpose: "Takes messages from RabbitMQ, stores them in MongoDB and delivers them. Any number may run.",
    settings: observerSettings,
    commands: {
      migrate: {
        meaning: "Makes missing collections and indexes in MongoDB, and ends.",
        run: (load) => migrateDatabase(load().config),
      },
    },
    load: loadObserverConfig,
    start: createObserver,
  },
  process.argv,
);
