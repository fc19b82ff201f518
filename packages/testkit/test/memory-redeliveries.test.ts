import { createMemoryDisk, createMemoryStore, describeRedeliveryLog } from "../src/index.ts";

describeRedeliveryLog("memory redeliveries", async () => {
  const disk = createMemoryDisk();
  return {
    one: createMemoryStore({ disk }),
    two: createMemoryStore({ disk }),
    cleanup: async () => {},
  };
});
