/**
 * The package's root, for programs: the client of the live stream and of the Data API, and the exporter to embed. What is
 * exported here follows semantic versioning; docs/library.md describes it and docs/library.api.md lists it.
 */

// BGP.
export {
  type AsOrSet,
  type AsPath,
  formatAsPath,
  type PathElement,
  type PathFacts,
  parseAsPath,
  pathFacts,
} from './bgp/as-path.ts';
export type { Announcement, LiveMessage, MessageFields, Withdrawal } from './bgp/live-message.ts';
export { type Afi, containsPrefix, type Prefix, parsePrefix } from './bgp/prefix.ts';
export { type Protocol, type Speaker, type VantagePoint, vantagePointKey } from './bgp/vantage-point.ts';
// The client.
export {
  BgproutesLiveClient,
  type BgproutesLiveClientOptions,
  type ClientStats,
  DEFAULT_DATA_API_URL,
  DEFAULT_LIVE_MANAGER_URL,
  DEFAULT_WEBSOCKET_URL,
  type MessagesOptions,
  type SubscribeOptions,
} from './bgproutes/client/client.ts';
export {
  DEBUG_ESSENTIAL,
  DEBUG_EXHAUSTIVE,
  DEBUG_NOTHING,
  DEBUG_TOO_MUCH,
  type DebugLevel,
} from './bgproutes/client/debug-log.ts';
export type {
  ClientEvent,
  ConnectedEvent,
  DisconnectedEvent,
  DroppedEvent,
  UnreadableEvent,
} from './bgproutes/client/events.ts';
export { type FormatOptions, formatMessage } from './bgproutes/client/format-message.ts';
// The Data API.
export { DataApiClient, type DataApiOptions } from './bgproutes/data-api/client.ts';
export type { QuotaLimits } from './bgproutes/data-api/quota.ts';
export {
  type Comparison,
  DATA_API_ENDPOINTS,
  DATA_API_RESULTS,
  type DataApiEndpoint,
  type DataApiResult,
  LIVE_SOURCES,
  type PrefixMatch,
  type RibParams,
  type RouteParams,
  type RowBatch,
  UNREADABLE_REASONS,
  type Unreadable,
  type UnreadableReason,
  type UpdatesParams,
  type VantagePointRecord,
  type VantagePointsAnswer,
  type VantagePointsParams,
} from './bgproutes/data-api/types.ts';
export type { AskedService } from './bgproutes/live/association/claim.ts';
export { DECODE_FAILURES, type DecodeFailure } from './bgproutes/live/message.ts';
// The exporter.
export type { ReadFile } from './config/api-keys.ts';
export {
  type BgproutesConfig,
  type Config,
  type ConfigInput,
  loadConfig,
  type MonitoredPrefixConfig,
  type PathsConfig,
  type RisLiveConfig,
} from './config/config.ts';
export type { Environment } from './config/file/substitution.ts';
export type { FlagValues } from './config/flags.ts';
export type { FleetConfig } from './config/fleet/fleet-config.ts';
export type { KafkaConfig, KafkaLogin } from './config/kafka-config.ts';
export type { ListenAddress, TcpAddress, UnixAddress } from './config/listen-address.ts';
export type { OtlpConfig, OtlpProtocol, OtlpTemporality } from './config/otlp/otlp-config.ts';
export type { RpkiConfig } from './config/rpki/rpki-config.ts';
export { SOURCE_NAMES, type SourceName } from './config/source-names.ts';
export {
  type AsCount,
  type EmbeddedExporter,
  type EmbedOptions,
  type Exposition,
  embedExporter,
  type PrefixFacts,
} from './embedding.ts';
// What all have in common.
export {
  type Actor,
  ConfigError,
  DATA_API_ERROR_CODES,
  DataApiError,
  type DataApiErrorCode,
  ERROR_CODES,
  type ErrorCode,
  type ErrorOptionsWithActor,
  ExporterError,
  PrefixToAPIKeyError,
  StoppedError,
  WebsocketConnectionError,
} from './errors.ts';
export {
  createLogger,
  type LogFields,
  type LogFormat,
  type Logger,
  type LoggerOptions,
  type LogLevel,
  type RootLogger,
} from './logger.ts';
export type { Readiness } from './readiness.ts';
export {
  RisLiveClient,
  type RisLiveClientOptions,
  type RisLiveEvent,
  type RisLiveMessagesOptions,
} from './ris-live/client.ts';
export type { RpkiSourceConfig } from './rpki/source-config.ts';
export type { BackoffOptions } from './stream/backoff.ts';
export {
  type HistoryRows,
  type HistoryVp,
  type ListedVp,
  type RibRow,
  type UpdateRow,
  VP_STATUSES,
  type VpStatus,
} from './stream/history.ts';
export { DISCONNECT_REASONS, type DisconnectReason } from './stream/source.ts';
export type { Timers } from './stream/timers.ts';
export type { ConnectionSettings } from './stream/websocket-connection.ts';
export type { SessionSettings } from './stream/websocket-session.ts';
export type { BuildInfo } from './version.ts';
