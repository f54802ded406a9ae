/**
 * The configuration: what the exporter is to do, from a file, flags and the environment. Read as a whole, and everything
 * that is wrong with it is reported at once.
 */
import type { AsOrSet } from '../bgp/as-path.ts';
import type { Prefix } from '../bgp/prefix.ts';
import { ConfigError } from '../errors.ts';
import { urlSecrets } from '../input/url.ts';
import type { LogFormat, LogLevel } from '../logger.ts';
import { redact } from '../secrets/redaction.ts';
import { collectKeys, type ReadFile } from './api-keys.ts';
import { Draft } from './file/draft.ts';
import type { Environment } from './file/substitution.ts';
import { fileFault, readTextFile } from './file/text-file.ts';
import type { FlagValues } from './flags.ts';
import { resolveFleet } from './fleet/fleet.ts';
import type { FleetConfig } from './fleet/fleet-config.ts';
import { resolveKafka } from './kafka.ts';
import type { KafkaConfig } from './kafka-config.ts';
import type { ListenAddress } from './listen-address.ts';
import { otlpSecrets, resolveOtlp } from './otlp/otlp.ts';
import type { OtlpConfig } from './otlp/otlp-config.ts';
import { routePrefixOf } from './route-prefix.ts';
import type { RpkiConfig } from './rpki/rpki-config.ts';
import { toRpkiSource } from './rpki/rpki-source.ts';
import { configSchema, type RawConfig } from './schema.ts';
import type { SourceName } from './source-names.ts';

/** What the configuration says of one monitored prefix. */
export interface MonitoredPrefixConfig {
  /** Canonical, without host bits. */
  readonly prefix: Prefix;
  /** Empty when not given. */
  readonly description: string;
  readonly group: string;
  /** Expected origins, distinct, at least one; undefined: any. An AS_SET is a text such as `{64501,64502}`. */
  readonly origins: readonly AsOrSet[] | undefined;
  readonly upstreams: readonly AsOrSet[] | undefined;
}

/** The services, and who asks them. */
export interface BgproutesConfig {
  /** Distinct, and at least `keysNeeded` where it is a source. Secrets. */
  readonly apiKeys: readonly string[];
  /** URLs without a query and without a slash at the end. */
  readonly websocketUrl: string;
  readonly liveManagerUrl: string;
  readonly dataApiUrl: string;
  readonly prefixesPerKey: number;
  /** A prefix that is known to change often; associated with every key. */
  readonly canaryPrefix: Prefix | undefined;
}

/** What the configuration says of AS paths. */
export interface PathsConfig {
  /** ASes that buy transit from nobody; empty: no valleys are looked for. */
  readonly transitFree: readonly number[];
  /** ASes that never count as an anomaly. */
  readonly allowed: readonly number[];
}

/** RIPE RIS Live and RIPEstat, and who asks them. */
export interface RisLiveConfig {
  readonly url: string;
  /** Letters, digits, `-` and `_`. */
  readonly client: string;
  readonly ripestatUrl: string;
  readonly fullFeedOnly: boolean;
  readonly staleAfterMs: number;
}

/** Times are ms. */
export interface Config {
  /** At least one, distinct, in the order of their precedence. */
  readonly sources: readonly SourceName[];
  /** At least one, at most `MAX_PREFIXES` (`MAX_FLEET_PREFIXES` in a fleet), distinct; one may lie inside another. */
  readonly prefixes: readonly MonitoredPrefixConfig[];
  readonly bgproutes: BgproutesConfig;
  readonly risLive: RisLiveConfig;
  readonly kafka: KafkaConfig;
  /** Undefined: the exporter serves all prefixes. */
  readonly fleet: FleetConfig | undefined;
  /**
   * The URL of the proxy on the way to the services, with its user and password; undefined: the variables of the environment
   * decide.
   */
  readonly proxyUrl: string | undefined;
  /** How connections to the services are secured. */
  readonly tls: {
    /** PEM file of CAs that are trusted beside those of Node. */
    readonly caFile: string | undefined;
  };
  readonly web: {
    /** Empty: no web server, unless `systemdSocket`. */
    readonly listenAddresses: readonly ListenAddress[];
    /** Whether the sockets that systemd hands over take the place of the addresses. */
    readonly systemdSocket: boolean;
    /** The file of TLS, users and headers; undefined: plain HTTP for everybody. */
    readonly configFile: string | undefined;
    /** Where others reach the web server; undefined: not known. */
    readonly externalUrl: string | undefined;
    /** What all paths begin with: `/bgp`, or empty. */
    readonly routePrefix: string;
    readonly telemetryPath: string;
    readonly enableLifecycle: boolean;
    /** False: neither a page for people nor the JSON API, and no history. */
    readonly page: boolean;
  };
  readonly history: {
    /** Prefixes with a history, the first of the configuration; 0: none. */
    readonly maxPrefixes: number;
    /** Changes of routes that are kept a prefix. */
    readonly maxChanges: number;
  };
  readonly table: {
    readonly seed: boolean;
    /** 0: never. */
    readonly reseedIntervalMs: number;
    /** 0: never. */
    readonly routeTtlMs: number;
    readonly expectedWindowMs: number;
    readonly expectedVps: 'seen' | 'full_feed';
    /** 0: never. */
    readonly vpPollIntervalMs: number;
    /** Codes of ISO 3166-1 in capitals, distinct: countries whose VPs have series of their own. */
    readonly countries: readonly string[];
    readonly dataApiLagMs: number;
    readonly maxVps: number;
    /** A monitored prefix. */
    readonly maxMoreSpecifics: number;
    /** Label values a prefix, see table/bounds.ts. */
    readonly maxOriginSeries: number;
    readonly maxUpstreamSeries: number;
    readonly maxMoreSpecificSeries: number;
  };
  readonly storage: {
    /** A folder; undefined: nothing is kept. */
    readonly path: string | undefined;
    readonly snapshotIntervalMs: number;
  };
  /** Undefined: nothing is judged by the RPKI. */
  readonly rpki: RpkiConfig | undefined;
  /** A file with the names of ASes; undefined: they have none. */
  readonly names: { readonly asFile: string } | undefined;
  /** Undefined: paths are not looked at. */
  readonly paths: PathsConfig | undefined;
  /** Undefined: off. */
  readonly otlp: OtlpConfig | undefined;
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
}

/** Where a configuration comes from. */
export interface ConfigInput {
  readonly flags: FlagValues;
  readonly env: Environment;
  /** Reads a text file; from the file system by default: UTF-8, at most 64 MiB. */
  readonly readFile?: ReadFile;
  /**
   * What the configuration is for. In a fleet only the ingest asks services, so that only it needs their keys. Default:
   * `serve`.
   */
  readonly use?: 'serve' | 'ingest';
}

/** Most monitored prefixes: the table and the scrape are built for no more. */
export const MAX_PREFIXES = 10_000;
/** Most prefixes of a whole fleet. To read this many takes some 16 s of CPU and 1.8 GiB. */
export const MAX_FLEET_PREFIXES = 1_000_000;
/** A record names all prefixes of a partition, and brokers take records of 1 MiB. */
export const MAX_PARTITION_PREFIXES = 10_000;

/**
 * Reads flags, file and environment. Can be called again for a reload.
 * @throws ConfigError with every problem found: `FILE:LINE:COLUMN: key: expected …, got …`, or the flag or variable first.
 */
export function loadConfig({ flags, env, readFile = readTextFile, use = 'serve' }: ConfigInput): Config {
  const file = typeof flags['config.file'] === 'string' ? flags['config.file'] : undefined;
  const draft = new Draft(file, file === undefined ? '' : readConfigFile(file, readFile), env);
  if (!draft.readable) throw configError(draft.problems(), env);
  draft.applyFlags(flags);
  draft.applyEnvironment(env);
  const parsed = configSchema.safeParse(draft.value);
  if (!parsed.success) draft.addIssues(parsed.error.issues);
  const partitions = parsed.data?.fleet?.partitions;
  draft.checkPrefixes(
    partitions === undefined ? MAX_PREFIXES : Math.min(MAX_FLEET_PREFIXES, partitions * MAX_PARTITION_PREFIXES),
  );
  draft.checkRpki();
  const sources = draft.checkSources();
  const isKafka = sources.includes('kafka');
  const isMember = use === 'serve' && parsed.data?.fleet !== undefined;
  // Any of the keys may ask the Data API.
  const needsKeys =
    !isMember && (sources.includes('bgproutes') || (isKafka && parsed.data?.kafka.history === 'data-api'));
  const apiKeys = needsKeys ? collectKeys(draft.keyEntries(env), readFile) : { keys: [], problems: [] };
  if (needsKeys) draft.checkKeys(apiKeys, sources, env);
  const otlp = parsed.success
    ? resolveOtlp(parsed.data.otlp, env, (key, path) => draft.resolvePath(['otlp', 'tls', key], path))
    : undefined;
  const kafka = parsed.success
    ? resolveKafka(parsed.data.kafka, (path, name) => draft.resolvePath(path, name), readFile)
    : undefined;
  if (isKafka) for (const { path, message } of kafka?.problems ?? []) draft.addProblem(path, message);
  const fleet =
    parsed.data?.fleet && resolveFleet(parsed.data.fleet, (path, name) => draft.resolvePath(path, name), readFile);
  for (const { path, message } of fleet?.problems ?? []) draft.addProblem(path, message);
  const problems = [...draft.problems(), ...(otlp?.problems ?? [])];
  if (problems.length > 0 || !parsed.success || kafka === undefined) throw configError(problems, env);
  const config = toConfig(parsed.data, sources, apiKeys.keys, kafka.config, fleet?.config, otlp?.config, draft);
  if (!hasWebServer(config) && config.otlp === undefined) {
    const off = otlp?.offBecause === undefined ? 'otlp.endpoint is not set' : `OTLP is off: ${otlp.offBecause}`;
    throw configError(
      [`nobody would get the metrics: ${draft.nameOf(['web', 'listen_address'])} is empty and ${off}`],
      env,
    );
  }
  return config;
}

/** Whether metrics are served, and not only pushed. */
export function hasWebServer({ web }: Pick<Config, 'web'>): boolean {
  return web.systemdSocket || web.listenAddresses.length > 0;
}

/** What must never be printed although the program knows it. */
export function configSecrets(config: Config): string[] {
  const logins = [config.kafka, ...(config.fleet === undefined ? [] : [config.fleet])];
  const ofKafka = logins
    .flatMap(({ tls, sasl }) => [tls?.key, sasl?.password])
    .filter((secret): secret is string => secret !== undefined && secret !== '');
  const ofProxy = config.proxyUrl === undefined ? [] : urlSecrets(new URL(config.proxyUrl));
  return [
    ...config.bgproutes.apiKeys,
    ...ofKafka,
    ...ofProxy,
    ...(config.otlp === undefined ? [] : otlpSecrets(config.otlp)),
  ];
}

/** Redacts a key that was put in a wrong place, by `${BGP_API_KEY}` or by the flag of another value. */
function configError(problems: readonly string[], env: Environment): ConfigError {
  const secrets = [env.BGP_API_KEY?.trim() ?? ''];
  return new ConfigError(problems.map((text) => redact(text, secrets)));
}

function readConfigFile(path: string, readFile: ReadFile): string {
  if (path === '') throw new ConfigError(['expected the path of a configuration file, got an empty text']);
  try {
    return readFile(path);
  } catch (error) {
    throw new ConfigError([`${path}: the configuration file cannot be read: ${fileFault(error)}`], error);
  }
}

function toConfig(
  raw: RawConfig,
  sources: readonly SourceName[],
  apiKeys: readonly string[],
  kafka: KafkaConfig,
  fleet: FleetConfig | undefined,
  otlp: OtlpConfig | undefined,
  draft: Draft,
): Config {
  const { bgproutes, ris_live: risLive, web, history, table, storage, rpki, names, paths, log } = raw;
  const storagePath = storage.path;
  return {
    sources,
    prefixes: raw.prefixes.map((entry) => ({
      prefix: entry.prefix,
      description: entry.description,
      group: entry.group,
      origins: entry.origins,
      upstreams: entry.upstreams,
    })),
    bgproutes: {
      apiKeys,
      websocketUrl: bgproutes.websocket_url,
      liveManagerUrl: bgproutes.live_manager_url,
      dataApiUrl: bgproutes.data_api_url,
      prefixesPerKey: bgproutes.prefixes_per_key,
      canaryPrefix: bgproutes.canary_prefix,
    },
    risLive: {
      url: risLive.url,
      client: risLive.client,
      ripestatUrl: risLive.ripestat_url,
      fullFeedOnly: risLive.full_feed_only,
      staleAfterMs: risLive.stale_after,
    },
    kafka,
    fleet,
    proxyUrl: raw.proxy_url === '' ? undefined : raw.proxy_url,
    tls: { caFile: raw.tls.ca_file === '' ? undefined : draft.resolvePath(['tls', 'ca_file'], raw.tls.ca_file) },
    web: {
      listenAddresses: web.listen_address,
      systemdSocket: web.systemd_socket,
      configFile: web.config_file === '' ? undefined : draft.resolvePath(['web', 'config_file'], web.config_file),
      externalUrl: web.external_url === '' ? undefined : web.external_url,
      routePrefix: routePrefixOf(web.external_url, web.route_prefix),
      telemetryPath: web.telemetry_path,
      enableLifecycle: web.enable_lifecycle,
      page: web.page,
    },
    history: { maxPrefixes: history.max_prefixes, maxChanges: history.max_changes },
    table: {
      seed: table.seed,
      reseedIntervalMs: table.reseed_interval,
      routeTtlMs: table.route_ttl,
      expectedWindowMs: table.expected_window,
      expectedVps: table.expected_vps,
      vpPollIntervalMs: table.vp_poll_interval,
      countries: table.countries,
      dataApiLagMs: table.data_api_lag,
      maxVps: table.max_vps,
      maxMoreSpecifics: table.max_more_specifics,
      maxOriginSeries: table.max_origin_series,
      maxUpstreamSeries: table.max_upstream_series,
      maxMoreSpecificSeries: table.max_more_specific_series,
    },
    storage: {
      path: storagePath === undefined ? undefined : draft.resolvePath(['storage', 'path'], storagePath),
      snapshotIntervalMs: storage.snapshot_interval,
    },
    rpki: rpki && {
      sources: rpki.sources.map((source, i) =>
        toRpkiSource(source, (file) => draft.resolvePath(['rpki', 'sources', i, 'file'], file)),
      ),
      maxAgeMs: rpki.max_age,
    },
    names: names && { asFile: draft.resolvePath(['names', 'as_file'], names.as_file) },
    paths: paths && { transitFree: paths.transit_free, allowed: paths.allowed },
    otlp,
    log,
  };
}
