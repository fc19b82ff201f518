// The store's worker, but it dies when a test says its role. In this order: the worker greets when it is imported.
import "./die-on-demand.ts";
import "../src/sqlite-worker.ts";
