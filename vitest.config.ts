import { existsSync, readdirSync } from "node:fs";
import { defineConfig } from "vitest/config";

const workspaces = ["packages", "apps"]
  .flatMap((folder) => readdirSync(folder).map((name) => `${folder}/${name}`))
  .concat("bench")
  .filter((folder) => existsSync(`${folder}/package.json`));

// CI counts what ran from this file, never from the printed summary.
const report = process.env["CHAT21_TEST_REPORT"];

const conditions = ["@chat21/source", "module", "node", "development|production"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    reporters: report ? ["default", ["json", { outputFile: report }]] : ["default"],
    projects: [
      ...workspaces.map((folder) => ({
        extends: true as const,
        root: folder,
        test: {
          name: folder.slice(folder.indexOf("/") + 1),
          include: ["src/**/*.test.{ts,tsx}", "test/**/*.test.{ts,tsx}"],
          exclude: ["**/*.e2e.test.ts"],
          // A busy machine is slow, not wrong: only what hangs runs into it.
          testTimeout: 60_000,
        },
      })),
      {
        // What is deployed: files that agree with each other and with the code.
        extends: true as const,
        root: "infra",
        test: { name: "infra", include: ["test/**/*.test.ts"], exclude: ["**/*.e2e.test.ts"] },
      },
      {
        // Whole processes and real services: one file at a time, after the unit tests.
        extends: true as const,
        test: {
          name: "e2e",
          include: workspaces
            .concat("infra", "infra/local")
            .flatMap((folder) => [`${folder}/src/**/*.e2e.test.ts`, `${folder}/test/**/*.e2e.test.ts`]),
          // RabbitMQ and MongoDB, where a test asks for them; a machine that cannot have them fails the run.
          globalSetup: "packages/testkit/src/services-setup.ts",
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Whole processes share two cores: what is polled for takes its time.
          expect: { poll: { timeout: 20_000 } },
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
