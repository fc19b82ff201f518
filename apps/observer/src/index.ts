export type { LoadedObserverConfig, ObserverConfig } from "./config.ts";
export { loadObserverConfig } from "./config.ts";
export type { Observer } from "./create-observer.ts";
export { createObserver } from "./create-observer.ts";
export { observerSettings } from "./settings.ts";
