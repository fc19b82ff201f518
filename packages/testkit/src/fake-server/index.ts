export type { FakeConnection } from "./fake-broker.ts";
export type { DeliveryFate, FakePublish, FakeReply, FakeRequest, SendFate } from "./fake-server.ts";
export { FakeServer, startFakeServer } from "./fake-server.ts";
export type { FakeTokenOptions } from "./fake-token.ts";
export { fakeToken } from "./fake-token.ts";
export type { ModelAppend, ModelEvent, ModelPage } from "./model-log.ts";
export { ModelLog } from "./model-log.ts";
