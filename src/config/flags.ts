/** Flags that set a value of the configuration: each names the key that it replaces. All other flags belong to a command. */
import { DEFAULTS } from '../defaults.ts';
import { formatDuration } from './duration.ts';
import { LOG_FORMATS, LOG_LEVELS } from './values/log-words.ts';

export interface ConfigFlag {
  /** Without the dashes. */
  readonly name: string;
  /** The key of the file: section and name. Undefined: it is not a key (see config.ts). */
  readonly key: readonly [section: string, name: string] | undefined;
  /** The word for the value in the help; undefined when the flag takes no value. */
  readonly value: string | undefined;
  readonly repeatable?: true;
  readonly help: string;
}

/** `a, b or c`. */
export function anyOf(words: readonly string[]): string {
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

export const CONFIG_FLAGS: readonly ConfigFlag[] = [
  { name: 'config.file', key: undefined, value: 'FILE', help: 'Configuration file (YAML). Flags win over it.' },
  {
    name: 'prefix',
    key: undefined,
    value: 'PREFIX',
    repeatable: true,
    help: 'Prefix to monitor, such as 192.0.2.0/24, in addition to those of the file. Repeatable.',
  },
  {
    name: 'source',
    key: undefined,
    value: 'SOURCE',
    repeatable: true,
    help: 'Where the routes come from: bgproutes, ris-live or kafka; only the first needs a key [bgproutes].',
  },
  {
    name: 'bgproutes.api-key-file',
    key: ['bgproutes', 'api_key_files'],
    value: 'FILE',
    repeatable: true,
    help: 'File with API keys, one on each line. Repeatable. Without it the configuration file counts, then BGP_API_KEY or BGP_API_KEY_FILE.',
  },
  {
    name: 'bgproutes.websocket-url',
    key: ['bgproutes', 'websocket_url'],
    value: 'URL',
    help: `Live stream [${DEFAULTS.bgproutes.websocketUrl}].`,
  },
  {
    name: 'bgproutes.live-manager-url',
    key: ['bgproutes', 'live_manager_url'],
    value: 'URL',
    help: `Live Manager API [${DEFAULTS.bgproutes.liveManagerUrl}].`,
  },
  {
    name: 'bgproutes.data-api-url',
    key: ['bgproutes', 'data_api_url'],
    value: 'URL',
    help: `Data API [${DEFAULTS.bgproutes.dataApiUrl}].`,
  },
  {
    name: 'web.listen-address',
    key: ['web', 'listen_address'],
    value: 'HOST:PORT',
    repeatable: true,
    help: `Where to listen [:${DEFAULTS.web.port}: all interfaces], or unix:/PATH. Port 0 takes a free port; an empty value means no web server. Repeatable.`,
  },
  {
    name: 'web.systemd-socket',
    key: ['web', 'systemd_socket'],
    value: undefined,
    help: 'Use the sockets that systemd hands over, instead of addresses.',
  },
  {
    name: 'web.config.file',
    key: ['web', 'config_file'],
    value: 'FILE',
    help: 'File with TLS, users and headers of the web server, in the format of the Prometheus exporters [none: plain HTTP for all].',
  },
  {
    name: 'web.external-url',
    key: ['web', 'external_url'],
    value: 'URL',
    help: 'URL at which others reach the exporter, for example through a reverse proxy. Its path is the prefix of all paths [none].',
  },
  {
    name: 'web.route-prefix',
    key: ['web', 'route_prefix'],
    value: 'PATH',
    help: 'Prefix of all paths, if it is not the path of --web.external-url; / means no prefix [that path].',
  },
  {
    name: 'web.telemetry-path',
    key: ['web', 'telemetry_path'],
    value: 'PATH',
    help: `Path of the metrics [${DEFAULTS.web.telemetryPath}].`,
  },
  {
    name: 'web.enable-lifecycle',
    key: ['web', 'enable_lifecycle'],
    value: undefined,
    help: 'Reload the configuration on POST /-/reload as well as on SIGHUP.',
  },
  {
    name: 'web.page',
    key: ['web', 'page'],
    value: 'on|off',
    help: 'The page for people at / and the JSON API [on].',
  },
  {
    name: 'storage.path',
    key: ['storage', 'path'],
    value: 'FOLDER',
    help: 'Folder for the snapshot from which a restart continues [none].',
  },
  {
    name: 'otlp.endpoint',
    key: ['otlp', 'endpoint'],
    value: 'URL',
    help: 'Push the metrics to this collector, such as http://localhost:4318 [off]. Headers come from the file or OTEL_EXPORTER_OTLP_HEADERS.',
  },
  {
    name: 'otlp.protocol',
    key: ['otlp', 'protocol'],
    value: 'PROTOCOL',
    help: `http/protobuf or http/json [${DEFAULTS.otlp.protocol}].`,
  },
  {
    name: 'otlp.interval',
    key: ['otlp', 'interval'],
    value: 'DURATION',
    help: `Time between two exports [${formatDuration(DEFAULTS.otlp.intervalMs)}].`,
  },
  {
    name: 'otlp.timeout',
    key: ['otlp', 'timeout'],
    value: 'DURATION',
    help: `How long a request and its retries may take [${formatDuration(DEFAULTS.otlp.timeoutMs)}].`,
  },
  {
    name: 'otlp.compression',
    key: ['otlp', 'compression'],
    value: 'KIND',
    help: `gzip or none [${DEFAULTS.otlp.compression}].`,
  },
  { name: 'log.level', key: ['log', 'level'], value: 'LEVEL', help: `${anyOf(LOG_LEVELS)} [${DEFAULTS.log.level}].` },
  {
    name: 'log.format',
    key: ['log', 'format'],
    value: 'FORMAT',
    help: `${anyOf(LOG_FORMATS)} [${DEFAULTS.log.format}].`,
  },
];

/**
 * A problem of a value that its key of the file names first, under the flag that gave the value: `storage.path: …` becomes
 * `--storage.path: …`. Any other problem stays as it is.
 */
export function namedByFlag(problem: string, flags: FlagValues): string {
  for (const { name, key } of CONFIG_FLAGS) {
    const named = key === undefined ? undefined : `${key.join('.')}: `;
    if (named !== undefined && flags[name] !== undefined && problem.startsWith(named)) {
      return `--${name}: ${problem.slice(named.length)}`;
    }
  }
  return problem;
}

/** Values of flags by name, as `node:util` parseArgs gives them; flags that are not about the configuration are ignored. */
export type FlagValues = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;
