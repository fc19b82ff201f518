import { BroadcastChannel, workerData } from "node:worker_threads";

const channel = new BroadcastChannel(`kill ${workerData.path}`);
channel.onmessage = (event) => {
  if ((event as MessageEvent).data === workerData.role) process.exit(1);
};
channel.unref();
