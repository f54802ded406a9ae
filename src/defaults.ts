/**
 * Defaults of the configuration that other parts than the schema need too. It reads them here, and so do the help texts, the library
 * and the commands, which start without it.
 */
export const DEFAULTS = {
  bgproutes: {
    websocketUrl: 'wss://websocket.bgproutes.io',
    liveManagerUrl: 'https://live-manager-api.bgproutes.io',
    dataApiUrl: 'https://api.bgproutes.io',
  },
  risLive: { url: 'wss://ris-live.ripe.net/v1/ws/', ripestatUrl: 'https://stat.ripe.net', staleAfterMs: 60_000 },
  web: { port: 10_479, telemetryPath: '/metrics' },
  table: { expectedWindowMs: 86_400_000, routeTtlMs: 0, expectedVps: 'seen' },
  /** Times of the OpenTelemetry specification. */
  otlp: {
    protocol: 'http/protobuf',
    compression: 'none',
    temporality: 'cumulative',
    intervalMs: 60_000,
    exportTimeoutMs: 30_000,
    timeoutMs: 10_000,
  },
  log: { level: 'info', format: 'logfmt' },
} as const;

/** Defaults, and over them what was given. A setting that is there but undefined is as good as absent. */
export function withDefaults<T extends object>(
  defaults: T,
  given: { readonly [K in keyof T]?: T[K] | undefined } = {},
): T {
  const stated = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...defaults, ...(Object.fromEntries(stated) as Partial<T>) };
}
