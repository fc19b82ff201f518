export type {
  BrokerConfig,
  BrokerSettingName,
  ClusterConfig,
  ClusterConfigSource,
  ClusterReader,
  ClusterSettingName,
  CommonSettingName,
} from "./cluster-config.ts";
export { chooseSettings, loadClusterConfig, readBrokerConfig } from "./cluster-config.ts";
export type { ClusterEngineParts } from "./cluster-engine.ts";
export { createClusterEngine, startOnBroker } from "./cluster-engine.ts";
export type {
  ClusterDatabase,
  ClusterGround,
  ClusterListener,
  ClusterServiceOptions,
} from "./cluster-service.ts";
export { startClusterService } from "./cluster-service.ts";
export { clusterSettings, clusterVariables, usualEvents } from "./cluster-settings.ts";
export type { PatientConnection } from "./connect-patiently.ts";
export { connectPatiently, uriLabel } from "./connect-patiently.ts";
export type { Drain } from "./drain.ts";
export { createDrain, drainTimeoutMs, within } from "./drain.ts";
export { codeOf, exitCodes, failureText, OperatorError } from "./failure.ts";
export type { Health } from "./health.ts";
export { combineHealth } from "./health.ts";
export type { ListenerSettings } from "./http-listener.ts";
export {
  closeHttpServer,
  createHttpServer,
  listenOn,
  refuseOtherUpgrades,
  setCertificate,
} from "./http-listener.ts";
export type { StopSignals } from "./lifecycle.ts";
export { announceReady, listenForReload, listenForStop, openServiceLog } from "./lifecycle.ts";
export type { LogFormat, LogLevel } from "./log.ts";
export { createLog, logLevels } from "./log.ts";
export { isLoopback, urlHost } from "./loopback.ts";
export type { MessageRate } from "./message-rate.ts";
export { chooseMessageRate, chooseRateLimits } from "./message-rate.ts";
export type { OperationsOptions } from "./operations-listener.ts";
export { isSameToken, operationsListener } from "./operations-listener.ts";
export { operatorApp, operatorPath } from "./operator-paths.ts";
export type { OutgoingFetch, OutgoingOptions, Proxies } from "./outgoing.ts";
export {
  connectAttemptMs,
  connectFailure,
  createOutgoingAgent,
  createOutgoingFetch,
  hasProxy,
  readProxies,
} from "./outgoing.ts";
export { forwardedFor, plainAddress } from "./plain-address.ts";
export { createPrometheusMetrics } from "./prometheus-metrics.ts";
export type {
  Environment,
  LoadedConfig,
  Notice,
  SettingsReader,
  SettingsSource,
  SettingTable,
  ValueOf,
} from "./read-settings.ts";
export { createSettingsReader } from "./read-settings.ts";
export type { Reloads } from "./reloads.ts";
export { createReloads } from "./reloads.ts";
export type { BrokerParts } from "./report-broker.ts";
export { reportBroker } from "./report-broker.ts";
export type { RunningService, ServiceCommand, ServiceProgram } from "./run-service.ts";
export { environmentHelp, runService } from "./run-service.ts";
export { secretWeakness, strongSecretBytes } from "./secret-weakness.ts";
export type { Setting } from "./setting.ts";
export {
  defineSetting,
  httpUrlSchema,
  optionalPortSchema,
  portSchema,
  switchSchema,
  wholeNumberSchema,
} from "./setting.ts";
export type { SigningKey } from "./signing-keys.ts";
export { readSigningKeys } from "./signing-keys.ts";
export type { StoreWatch, StoreWatchOptions } from "./store-watch.ts";
export { watchStore } from "./store-watch.ts";
export { systemClock } from "./system-clock.ts";
export type { TlsFiles, TlsMaterial } from "./tls-files.ts";
export { chooseTls, readTlsMaterial } from "./tls-files.ts";
export type { LoadedWebhookSettings } from "./webhook-config.ts";
export { loadWebhookSettings, readWebhookSecrets } from "./webhook-config.ts";
