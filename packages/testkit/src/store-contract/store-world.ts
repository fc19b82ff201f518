import { afterAll, beforeAll } from "vitest";
import type { WholeStore } from "../whole-store.ts";

/** A store under test. */
export interface OpenedStore {
  readonly store: WholeStore;
  /** Closes the store, if it is not closed, and opens the same data again. */
  reopen(): Promise<WholeStore>;
  /** Closes the open store and removes the data. */
  cleanup(): Promise<void>;
  /**
   * Resolves when everything that the store derives from an app's logs some time after the commits is there, as if a minute
   * had passed. Absent: nothing is.
   */
  age?(app: string): Promise<void>;
}

/** Makes a new, empty store. */
export type OpenStore = () => Promise<OpenedStore>;

/** The store that most tests share, and names that no other test uses. */
export interface StoreWorld {
  readonly store: WholeStore;
  /** A new app, endpoint or id. */
  fresh(kind: string): string;
  /** See {@link OpenedStore.age}. */
  age(app: string): Promise<void>;
}

/** Opens one store before all tests of the suite and cleans up after them. */
export function useStore(open: OpenStore): StoreWorld {
  let opened: OpenedStore | undefined;
  let names = 0;

  beforeAll(async () => {
    opened = await open();
  });
  afterAll(async () => {
    await opened?.cleanup();
  });

  return {
    get store() {
      if (opened === undefined) throw new Error("the store is opened before all tests");
      return opened.store;
    },
    fresh(kind) {
      names += 1;
      return `${kind}-${names}`;
    },
    age: async (app) => opened?.age?.(app),
  };
}
