export type { ClusterConfig, ClusterTable } from "./cluster-config.ts";
export { readClusterConfig } from "./cluster-config.ts";
export type { ClusterEngineConfig, ClusterEngineParts } from "./cluster-engine.ts";
export { createClusterEngine, startOnBroker } from "./cluster-engine.ts";
export { clusterSettings, clusterVariables, usualEvents } from "./cluster-settings.ts";
export type { ClusterStoreAdapter } from "./cluster-store.ts";
export { connectClusterStore } from "./cluster-store.ts";
export { codeOf } from "./code-of.ts";
export type { PatientConnection } from "./connect-patiently.ts";
export { connectPatiently, uriLabel } from "./connect-patiently.ts";
export type { ContactDirectoryOptions } from "./contact-directory.ts";
export { createContactDirectory } from "./contact-directory.ts";
export { didYouMean } from "./did-you-mean.ts";
export type { DrainStep } from "./drain.ts";
export { createDrainStep, drainTimeoutMs, within } from "./drain.ts";
export { exitCodes } from "./exit-code.ts";
export type { BrokerParts, Health } from "./health.ts";
export { brokerHealth, combineHealth } from "./health.ts";
export type { ListenerSettings } from "./http-listener.ts";
export { closeHttpServer, createHttpServer, listenOn, refuseOtherUpgrades } from "./http-listener.ts";
export type { LogFormat, LogLevel } from "./log.ts";
export { createLog, logLevels } from "./log.ts";
export { isLoopback, urlHost } from "./loopback.ts";
export type { MessageRate } from "./message-rate.ts";
export { chooseMessageRate } from "./message-rate.ts";
export type { OperationsOptions } from "./operations-listener.ts";
export { operationsListener } from "./operations-listener.ts";
export { OperatorError } from "./operator-error.ts";
export { createPrometheusMetrics } from "./prometheus-metrics.ts";
export type {
  Environment,
  Notice,
  SettingsReader,
  SettingsSource,
  SettingTable,
  ValueOf,
} from "./read-settings.ts";
export { createSettingsReader } from "./read-settings.ts";
export type { RunningService, ServiceCommand, ServiceConfig, ServiceProgram } from "./run-service.ts";
export { runService } from "./run-service.ts";
export { secretWeakness, strongSecretBytes } from "./secret-weakness.ts";
export type { Setting } from "./setting.ts";
export {
  appsSchema,
  basePathSchema,
  defineSetting,
  hostSchema,
  httpUrlSchema,
  listSchema,
  logLevelSchema,
  optionalPortSchema,
  portSchema,
  switchSchema,
  trustProxySchema,
  wholeNumberSchema,
} from "./setting.ts";
export type { SigningKey } from "./signing-keys.ts";
export { readSigningKeys } from "./signing-keys.ts";
export type { StopSignals } from "./stop-signals.ts";
export { listenForStop } from "./stop-signals.ts";
export type { StoreWatch, StoreWatchOptions } from "./store-watch.ts";
export { watchStore } from "./store-watch.ts";
export { survive } from "./survive.ts";
export { systemClock } from "./system-clock.ts";
export type { TlsFiles, TlsMaterial } from "./tls-files.ts";
export { chooseTls, readTlsMaterial } from "./tls-files.ts";
export { isSameToken } from "./token-comparison.ts";
export type { LoadedWebhookSettings } from "./webhook-config.ts";
export { loadWebhookSettings } from "./webhook-config.ts";
