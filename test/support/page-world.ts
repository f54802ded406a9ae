/** A table with its history behind a web server, a clock that stands until it is turned, and what a client asks with. */
import { get, type IncomingHttpHeaders } from 'node:http';
import { TableHistory } from '../../src/history/table-history.ts';
import { createLogger } from '../../src/logger.ts';
import type { FamilySource } from '../../src/metrics/metric.ts';
import { PlaceView } from '../../src/metrics/views/place-view.ts';
import { PrefixView } from '../../src/metrics/views/prefix-view.ts';
import { ProtobufSerializer } from '../../src/outputs/otlp/encoding/protobuf-serializer.ts';
import { hrTime } from '../../src/outputs/otlp/metric-data.ts';
import { Collection } from '../../src/outputs/otlp/producer.ts';
import { LivePage } from '../../src/outputs/page/live-page.ts';
import { PageFacts } from '../../src/outputs/page/page-facts.ts';
import { TextWriter } from '../../src/outputs/text/prometheus.ts';
import { startWebServer, type WebServer } from '../../src/outputs/web-server.ts';
import { Fold, FoldCounts } from '../../src/table/fold.ts';
import type { WatchedPrefix } from '../../src/table/prefixes/prefix-state.ts';
import { RoutingTable } from '../../src/table/routing-table.ts';
import type { TableOptions } from '../../src/table/table-options.ts';
import { decodeProtobuf } from '../outputs/otlp/decode.ts';
import { ManualTimers } from '../stream/manual-timers.ts';
import { readExposition, seriesOf } from './exposition.ts';
import { START_MS, watchedPrefix } from './table-world.ts';

export const P = '198.51.100.0/24';
export const V6 = '2001:db8::/32';
export const WATCHED = [
  { ...watchedPrefix(P), origins: [64500], upstreams: [64501], description: '<b>', group: 'core' },
  watchedPrefix(V6),
];

/** What is to be stopped after a test. */
export const running: (() => Promise<void>)[] = [];

export async function stopAll(): Promise<void> {
  await Promise.all(running.splice(0).map((stop) => stop()));
}

export interface PageWorldOptions {
  readonly maxPrefixes?: number;
  readonly watched?: readonly WatchedPrefix[];
  readonly telemetryPath?: string;
  readonly tableOptions?: TableOptions;
  /** What the file of names has. */
  readonly names?: Readonly<Record<number, string>>;
}

export async function pageWorld(options: PageWorldOptions = {}) {
  const { maxPrefixes = 10, watched = WATCHED, telemetryPath = '/metrics', tableOptions, names } = options;
  const timers = new ManualTimers(START_MS);
  const table = new RoutingTable(tableOptions);
  table.watch(watched, START_MS);
  const history = new TableHistory({ table, maxPrefixes, maxChanges: 200, now: () => timers.now() });
  const fold = new Fold(table);
  const counts = new FoldCounts();
  let up = true;
  const facts = new PageFacts({
    ...{ table, history, now: () => timers.now(), machineMs: (ms: number) => ms, isUp: () => up },
    validity: (_, origin) => (origin === 64500 ? 'valid' : 'invalid_as'),
    names: () =>
      names && {
        find: (as: number) => (names[as] === undefined ? undefined : { name: names[as], country: '' }),
      },
    exporter: () => ({
      ...{ started_at: new Date(START_MS).toISOString(), version: '1.2.3', ready: true, not_ready_reason: null },
      ...{ table: 'seeded' as const, restored_from: null, notes: [], validators: [] },
      streams: [
        {
          ...{ source: 'bgproutes', session: '0', up, down_since: up ? null : new Date(START_MS).toISOString() },
          ...{ reason: null, subscribed_prefixes: watched.length, last_update_at: null },
        },
      ],
    }),
  });
  const page = new LivePage({ facts, history, timers, version: '1.2.3' });
  const views = [new PrefixView(table), new PlaceView(table)];
  const server = await startWebServer({
    listenAt: [{ host: '127.0.0.1', port: 0 }],
    telemetryPath,
    render: async () => new TextWriter('text').render(views.map((view) => view.collect())),
    ready: () => ({ ok: true }),
    enableLifecycle: false,
    logger: createLogger({ level: 'error', format: 'logfmt', destination: { write: () => {} } }),
    page,
  });
  running.push(() => server.close());
  return {
    table,
    page,
    server,
    timers,
    /** What a scrape and an export of OTLP say of a prefix, where they agree. */
    outputs: async () => {
      const series = await scrape(server);
      const points = exported(views.map((view) => view.collect()));
      return (name: string, labels: Readonly<Record<string, string>>): number | undefined => {
        const value = sampleOf(series, name, labels);
        const sent = points.get(keyOf(`bgp_prefix_${name}`, labels));
        if (sent !== value) throw new Error(`${name}: ${value} is scraped and ${sent} exported`);
        return value;
      };
    },
    setUp: (isUp: boolean) => {
      up = isUp;
    },
    trust: () => {
      for (const one of table.prefixes.monitored()) one.setTrusted(1);
    },
    /** VPs from 0 on say the same. */
    see: (vps: number, prefix: string, asPath: string | undefined) => {
      for (let vp = 0; vp < vps; vp++)
        fold.apply(
          {
            vp: { protocol: 'bgp', asn: 64496, ip: `10.0.0.${vp}` },
            timeUs: timers.now() * 1000,
            announced: asPath === undefined ? [] : [prefix],
            withdrawn: asPath === undefined ? [prefix] : [],
            ...(asPath !== undefined && { attributes: { asPath, communities: '', nextHop: '', originAttribute: '' } }),
          },
          0,
          counts,
          timers.now(),
        );
    },
    tick: (ms = 1_000) => {
      timers.advance(ms);
      for (const _ of history.tick());
      for (const _ of page.hub.publish());
    },
  };
}

const keyOf = (name: string, labels: Readonly<Record<string, string>>): string =>
  JSON.stringify([name, ...Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);

/** The values of a request of OTLP, read back, by Prometheus' name and labels. */
function exported(sources: readonly FamilySource[]): Map<string, number> {
  const nameOf = new Map(sources.flatMap(({ metrics }) => metrics.map(({ otlpName, name }) => [otlpName, name])));
  const metrics = new Collection().of(sources, hrTime(START_MS), (error) => {
    throw error;
  });
  const request = { resource: { attributes: {} }, scope: { name: 'bgproutes-exporter' }, metrics };
  const points = new Map<string, number>();
  for (const metric of decodeProtobuf(new ProtobufSerializer().serialize(request)).metrics)
    for (const { attributes, value } of metric.points)
      if (typeof value === 'number') points.set(keyOf(nameOf.get(metric.name) ?? metric.name, attributes), value);
  return points;
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export function ask(server: WebServer, path: string, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port: server.port, path, method, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers['content-type'] ?? '',
          headers: response.headers,
          body,
        }),
      );
    }).on('error', reject);
  });
}

export const json = async (server: WebServer, path: string): Promise<unknown> =>
  JSON.parse((await ask(server, path)).body);

export const scrape = async (server: WebServer): Promise<Map<string, number>> =>
  seriesOf(readExposition(Buffer.from((await ask(server, '/metrics')).body), 'text'));

/** The value of a series of a prefix in a scrape. */
export function sampleOf(
  series: ReadonlyMap<string, number>,
  name: string,
  labels: Readonly<Record<string, string>>,
): number | undefined {
  const keys = Object.keys(labels).sort();
  return series.get(`bgp_prefix_${name}{${keys.map((key) => `${key}=${JSON.stringify(labels[key])}`).join(',')}}`);
}
