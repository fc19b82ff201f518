export type { ObserverConfig } from "./config.ts";
export { loadObserverConfig, observerSettings } from "./config.ts";
export type { Observer } from "./create-observer.ts";
export { createObserver } from "./create-observer.ts";
