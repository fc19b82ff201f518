import type { ServiceProgram } from "@chat21/runtime";
import { loadObserverConfig, type ObserverConfig } from "./config.ts";
import { createObserver } from "./create-observer.ts";
import { migrateDatabase } from "./migrate-database.ts";
import { observerSettings } from "./settings.ts";
import { version } from "./version.ts";

/** The command `chat21-observer`. */
export const observerProgram: ServiceProgram<ObserverConfig> = {
  name: "chat21-observer",
  version,
  purpose: "Takes messages from RabbitMQ, stores them in MongoDB and delivers them. Any number may run.",
  settings: observerSettings,
  hasWebhooks: true,
  commands: {
    migrate: {
      meaning: "Makes missing collections and indexes in MongoDB, and ends.",
      run: (load) => migrateDatabase(load().config),
    },
  },
  load: loadObserverConfig,
  create: createObserver,
};
