/** The configuration file: every key, its bounds and its default. Unknown keys are refused. */
import type { z } from 'zod';
import { TRANSIT_FREE } from '../bgp/path-sanity.ts';
import { DEFAULTS } from '../defaults.ts';
import {
  BOUNDS,
  type Bound,
  MAX_CONFIGURED_ORIGINS,
  MAX_CONFIGURED_UPSTREAMS,
  MAX_COUNTRIES,
} from '../table/bounds.ts';
import { fleetSection } from './fleet/fleet.ts';
import { kafkaSection } from './kafka.ts';
import { otlpSection } from './otlp/otlp.ts';
import { rpkiSource } from './rpki/rpki-source.ts';
import { SOURCE_NAMES } from './source-names.ts';
import { LOG_FORMATS } from './values/log-words.ts';
import * as values from './values.ts';

/** ASes of one rule for paths. */
const MAX_PATH_RULES = 1_000;

/** Each prefix that may be monitored can have a history. */
const MAX_HISTORIES = 10_000;

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

function bounded({ least, most, standard }: Bound) {
  return values.wholeNumber('a whole number', least, most).default(standard);
}

/** @param standard the default, and what an error shows as an example. As a value, it has no slash at its end. */
function address(protocols: readonly string[], standard: string) {
  return values.url(protocols, standard).default(standard.replace(/\/$/, ''));
}

const monitoredPrefix = values.section(
  {
    prefix: values.prefix,
    description: values.text('a text', 200).default(''),
    group: values.text('a text', 200).default(''),
    origins: values.asNumbers(MAX_CONFIGURED_ORIGINS).optional(),
    upstreams: values.asNumbers(MAX_CONFIGURED_UPSTREAMS).optional(),
  },
  'a map such as {prefix: 192.0.2.0/24}',
);

export const configSchema = values.section({
  prefixes: values.list(monitoredPrefix, 'a list of maps such as {prefix: 192.0.2.0/24}'),
  sources: values.list(values.oneOf(...SOURCE_NAMES), `a list of ${SOURCE_NAMES.join(', ')}`),
  bgproutes: values.section({
    api_keys: values.list(values.apiKey, 'a list of API keys'),
    api_key_files: values.list(values.secretPath, 'a list of files'),
    websocket_url: address(['ws:', 'wss:'], DEFAULTS.bgproutes.websocketUrl),
    live_manager_url: address(['http:', 'https:'], DEFAULTS.bgproutes.liveManagerUrl),
    data_api_url: address(['http:', 'https:'], DEFAULTS.bgproutes.dataApiUrl),
    prefixes_per_key: values.wholeNumber('a whole number', 1, 10_000).default(10),
    canary_prefix: values.prefix.optional(),
  }),
  ris_live: values.section({
    url: address(['ws:', 'wss:'], DEFAULTS.risLive.url),
    client: values.clientName.default('bgproutes-exporter'),
    ripestat_url: address(['http:', 'https:'], DEFAULTS.risLive.ripestatUrl),
    full_feed_only: values.trueOrFalse.default(false),
    stale_after: values.duration(5 * SECOND_MS, HOUR_MS).default(DEFAULTS.risLive.staleAfterMs),
  }),
  kafka: kafkaSection,
  fleet: values.atStart(fleetSection.optional(), 'an exporter takes its place in the fleet at its start'),
  proxy_url: values.proxyUrl.default(''),
  tls: values.section({
    ca_file: values.fileOrNone.default(''),
  }),
  web: values.section({
    listen_address: values.atStart(
      values.listenAddresses.default([{ host: '', port: DEFAULTS.web.port }]),
      'scrapers reach the sockets that are open',
    ),
    systemd_socket: values.atStart(values.trueOrFalse.default(false), 'systemd hands sockets over at a start'),
    config_file: values.fileOrNone.default(''),
    external_url: values.externalUrl.default(''),
    route_prefix: values.routePrefix.default(''),
    telemetry_path: values.telemetryPath.default(DEFAULTS.web.telemetryPath),
    enable_lifecycle: values.trueOrFalse.default(false),
    page: values.onOrOff.default(true),
  }),
  history: values.section({
    max_prefixes: values.wholeNumber('a whole number', 0, MAX_HISTORIES).default(1_000),
    max_changes: values.wholeNumber('a whole number', 0, 1_000).default(200),
  }),
  table: values.section({
    seed: values.trueOrFalse.default(true),
    reseed_interval: values.duration(10 * SECOND_MS, 7 * DAY_MS, 'never').default(HOUR_MS),
    route_ttl: values.duration(MINUTE_MS, 30 * DAY_MS, 'never').default(DEFAULTS.table.routeTtlMs),
    expected_window: values.duration(MINUTE_MS, 30 * DAY_MS).default(DEFAULTS.table.expectedWindowMs),
    expected_vps: values.oneOf('seen', 'full_feed').default(DEFAULTS.table.expectedVps),
    vp_poll_interval: values.duration(10 * SECOND_MS, DAY_MS, 'never').default(10 * MINUTE_MS),
    data_api_lag: values.duration(0, HOUR_MS).default(2 * MINUTE_MS),
    max_vps: values.atStart(bounded(BOUNDS.vps), 'the memory of the table has its size from the start'),
    max_more_specifics: bounded(BOUNDS.moreSpecifics),
    max_origin_series: bounded(BOUNDS.originSeries),
    max_upstream_series: bounded(BOUNDS.upstreamSeries),
    max_more_specific_series: bounded(BOUNDS.moreSpecificSeries),
    countries: values.countries(MAX_COUNTRIES).default([]),
  }),
  storage: values.section({
    path: values.atStart(
      values.path('the path of a folder').optional(),
      'a table that lives cannot continue from another snapshot',
    ),
    snapshot_interval: values.duration(SECOND_MS, HOUR_MS).default(MINUTE_MS),
  }),
  rpki: values
    .section({
      sources: values.list(rpkiSource, 'a list of maps such as {url: http://validator:8323/json}'),
      max_age: values.duration(10 * MINUTE_MS, 7 * DAY_MS).default(6 * HOUR_MS),
    })
    .optional(),
  names: values.section({ as_file: values.path('the path of a file') }).optional(),
  paths: values
    .section({
      transit_free: values.asList(MAX_PATH_RULES).default([...TRANSIT_FREE]),
      allowed: values.asList(MAX_PATH_RULES).default([]),
    })
    .optional(),
  otlp: otlpSection,
  log: values.section({
    level: values.logLevel.default(DEFAULTS.log.level),
    format: values.oneOf(...LOG_FORMATS).default(DEFAULTS.log.format),
  }),
});

export type RawConfig = z.output<typeof configSchema>;
