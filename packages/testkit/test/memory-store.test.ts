import { createMemoryDisk, createMemoryStore, describeStore } from "../src/index.ts";

describeStore("memory store", async () => {
  const disk = createMemoryDisk();
  let store = createMemoryStore({ disk });
  return {
    store,
    async reopen() {
      await store.close();
      store = createMemoryStore({ disk });
      return store;
    },
    cleanup: async () => {},
  };
});
