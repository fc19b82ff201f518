import { test as base } from "vitest";
import { type Api, startApi } from "./start-api.ts";

/** `test` with a running API of its own. */
export const test = base.extend<{ readonly api: Api }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the pattern to know what a fixture needs.
  api: async ({}, use) => {
    const api = await startApi();
    await use(api);
    await api.close();
  },
});
