/** Every key of the schema: a reload makes it take effect, seen from outside, or refuses it by name and applies nothing. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import { refusedByReload, settings } from '../../src/config/reload/settings.ts';
import { makeSameFeeds } from '../../src/exporter/live-feeds.ts';
import { type RunningExporter, startExporter } from '../../src/exporter.ts';
import { trustedCas } from '../../src/http/ways-out.ts';
import { createLogger } from '../../src/logger.ts';
import type { Simulator } from '../../src/simulator/contract.ts';
import { makeCertificate } from '../support/certificates.ts';
import { until } from '../support/patience.ts';
import { KEY, KEY_2, P4, P6, samples, temporaryFolder, type World, world } from './world.ts';

type Sections = Readonly<Record<string, unknown>>;

/** Takes any request, and says what it was asked; the answer is 404. */
class StandIn {
  /** `GET /path`, `UPGRADE /path`, in their order. */
  readonly asked: string[] = [];
  readonly bodies: { readonly headers: http.IncomingHttpHeaders; readonly body: Buffer }[] = [];
  readonly #server = http.createServer((request, response) => {
    this.asked.push(`${request.method} ${request.url}`);
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      this.bodies.push({ headers: request.headers, body: Buffer.concat(parts) });
      response.writeHead(request.method === 'POST' ? 200 : 404).end();
    });
  });

  async start(): Promise<this> {
    this.#server.on('upgrade', (request, socket) => {
      this.asked.push(`UPGRADE ${request.url}`);
      socket.destroy();
    });
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    return this;
  }

  get place(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

interface Stage {
  readonly w: World;
  readonly simulator: Simulator;
  readonly exporter: RunningExporter;
  readonly other: StandIn;
  readonly folder: string;
  readonly lines: string[];
  get(path: string, init?: RequestInit): Promise<Response>;
  sample(name: string): Promise<number | undefined>;
  names(): Promise<string[]>;
}

interface Case {
  /** What the configuration is at first, beside what all begin with. */
  readonly before?: (stage: Stage) => Sections;
  readonly after: (stage: Stage) => Sections;
  /** Fails until the change has taken effect. */
  readonly look: (stage: Stage) => unknown;
}

const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

function merged(one: Sections, other: Sections): Sections {
  const all: Record<string, unknown> = { ...one };
  for (const [key, value] of Object.entries(other)) {
    const had = all[key];
    const isSection = [had, value].every((part) => typeof part === 'object' && part !== null && !Array.isArray(part));
    all[key] = isSection ? merged(had as Sections, value as Sections) : value;
  }
  return all;
}

function base({ websocketUrl, url }: Pick<Simulator, 'websocketUrl' | 'url'>): Sections {
  return {
    prefixes: [{ prefix: P4 }, { prefix: P6 }],
    bgproutes: { api_keys: [KEY], websocket_url: websocketUrl, live_manager_url: url, data_api_url: url },
    table: { data_api_lag: '0s', vp_poll_interval: 0, reseed_interval: 0 },
    web: { listen_address: '127.0.0.1:0', enable_lifecycle: true },
  };
}

const read = (sections: Sections) =>
  loadConfig({ flags: { 'config.file': 'test.yml' }, env: {}, readFile: readFileOr(JSON.stringify(sections)) });

/** The configuration itself is in memory; what it names is in files. */
function readFileOr(text: string) {
  return (path: string) => (path === 'test.yml' ? text : readFileSync(path, 'utf8'));
}

async function stage(before: Case['before']): Promise<{ stage: Stage; change: (sections: Sections) => Promise<void> }> {
  const w = await world();
  const other = await new StandIn().start();
  cleanups.push(() => other.stop());
  const lines: string[] = [];
  const logger = createLogger({ level: 'info', format: 'logfmt', destination: { write: (line) => lines.push(line) } });
  let running: RunningExporter | undefined;
  const exporter = () => running as RunningExporter;
  const made: Stage = {
    ...{ w, simulator: w.simulator, other, folder: temporaryFolder(), lines },
    get exporter() {
      return exporter();
    },
    get: (path, init) => fetch(`http://${exporter().address}${path}`, init),
    sample: async (name) => (await samples(exporter())).get(name),
    names: async () => [...(await samples(exporter())).keys()],
  };
  let sections = merged(base(w.simulator), before?.(made) ?? {});
  running = await startExporter(read(sections), {
    ...{ logger, timers: w.machine, version: { version: '0.0.0', revision: 'test', nodeVersion: '0' } },
    reloadConfig: () => read(sections),
    onReloaded: ({ log }) => logger.set(log),
  });
  cleanups.push(() => exporter().stop());
  const change = (next: Sections) => {
    sections = merged(sections, next);
    return exporter().reload();
  };
  return { stage: made, change };
}

const seeded = ({ exporter }: Stage) => until(() => expect(exporter.figures.seeded).toBe(true));
const otlp =
  (more: Sections = {}) =>
  ({ other }: Stage): Sections => ({
    otlp: { endpoint: `http://${other.place}`, interval: '1s', timeout: '1s', ...more },
  });
/** The last export is as the check wants it. */
const exported = (check: (last: { headers: http.IncomingHttpHeaders; text: string }) => boolean) => (s: Stage) => {
  const last = s.other.bodies.at(-1);
  if (last === undefined) throw new Error('nothing was exported');
  const { headers, body } = last;
  const text = (headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString('latin1');
  expect(check({ headers, text })).toBe(true);
};
const odd = ({ simulator }: Stage, prefix: string, path: string) => {
  const [vp] = simulator.vantagePoints().filter(({ isLive }) => isLive);
  simulator.announce(vp.key, prefix, { asPath: `${vp.asn} ${path}` });
};
const ris =
  (more: Sections) =>
  ({ simulator, other }: Stage): Sections => ({
    sources: ['bgproutes', 'ris-live'],
    ris_live: { url: `ws://${other.place}/v1/ws`, ripestat_url: simulator.url, client: 'test', ...more },
  });
const file = (s: Stage, name: string, text: string): string => {
  mkdirSync(s.folder, { recursive: true });
  writeFileSync(join(s.folder, name), text);
  return join(s.folder, name);
};
const vrps = (s: Stage, ageS: number): string =>
  file(
    s,
    'vrps.json',
    JSON.stringify({
      metadata: { generated: Math.floor(s.w.machine.now() / 1_000) - ageS },
      roas: [{ prefix: P4, asn: 1 }],
    }),
  );
const asked = (what: string) => (s: Stage) => expect(s.other.asked.join('\n')).toContain(what);
const requests = (endpoint: string) => `bgp_data_api_requests_total{endpoint="${endpoint}",result="success"}`;
const anomalies = (kind: string) => `bgp_prefix_path_anomaly_vps{prefix="${P4}",anomaly="${kind}"}`;

/** The source is made once more, by other settings; test/end-to-end/reload-sources.test.ts proves what follows. */
function remade(sections: Sections): 'remade' | never {
  const [section] = Object.keys(sections);
  REMADE.push([section, sections]);
  return 'remade';
}
const REMADE: [string, Sections][] = [];

const CASES: Readonly<Record<string, Case | 'refused' | 'remade'>> = {
  prefixes: {
    after: () => ({ prefixes: [{ prefix: P4, description: 'the first' }] }),
    look: async (s) => {
      const names = (await s.names()).join('\n');
      expect(names).toContain('description="the first"');
      expect(names).not.toContain(P6);
    },
  },
  sources: { after: ris({}), look: asked('UPGRADE /v1/ws') },
  'bgproutes.api_keys': {
    after: () => ({ bgproutes: { api_keys: [KEY_2] } }),
    look: ({ simulator }) => expect(simulator.associatedPrefixes(KEY_2)).toEqual([P4, P6]),
  },
  'bgproutes.api_key_files': {
    before: (s) => ({ bgproutes: { api_keys: [], api_key_files: [file(s, 'key', KEY)] } }),
    after: (s) => ({ bgproutes: { api_key_files: [file(s, 'other-key', KEY_2)] } }),
    look: ({ simulator }) => expect(simulator.associatedPrefixes(KEY_2)).toEqual([P4, P6]),
  },
  'bgproutes.websocket_url': {
    after: ({ other }) => ({ bgproutes: { websocket_url: `ws://${other.place}/live` } }),
    look: asked('UPGRADE /live'),
  },
  'bgproutes.live_manager_url': {
    after: ({ other }) => ({ bgproutes: { live_manager_url: `http://${other.place}` } }),
    look: asked('GET /update_live_prefixes'),
  },
  'bgproutes.data_api_url': {
    after: ({ other }) => ({ bgproutes: { data_api_url: `http://${other.place}/data` } }),
    look: asked('GET /data/'),
  },
  'bgproutes.prefixes_per_key': {
    before: () => ({ bgproutes: { api_keys: [KEY, KEY_2] } }),
    after: () => ({ bgproutes: { prefixes_per_key: 1 } }),
    look: ({ simulator }) => expect(simulator.associatedPrefixes(KEY_2)).toEqual([P6]),
  },
  'bgproutes.canary_prefix': {
    after: () => ({ bgproutes: { canary_prefix: '84.205.64.0/24' } }),
    look: ({ simulator }) => expect(simulator.associatedPrefixes(KEY)).toContain('84.205.64.0/24'),
  },
  'ris_live.url': {
    before: ris({}),
    after: ({ other }) => ({ ris_live: { url: `ws://${other.place}/v2/ws` } }),
    look: asked('UPGRADE /v2/ws'),
  },
  'ris_live.client': { before: ris({}), after: () => ({ ris_live: { client: 'noc' } }), look: asked('client=noc') },
  'ris_live.ripestat_url': {
    before: ({ simulator, ...s }) => ris({ url: `${simulator.websocketUrl}/v1/ws` })({ ...s, simulator } as Stage),
    after: ({ other }) => ({ ris_live: { ripestat_url: `http://${other.place}/stat` } }),
    look: asked('GET /stat/'),
  },
  'ris_live.full_feed_only': remade({ ris_live: { full_feed_only: true } }),
  'ris_live.stale_after': remade({ ris_live: { stale_after: '2m' } }),
  'kafka.brokers': remade({ kafka: { brokers: ['other:9092'] } }),
  'kafka.topics': remade({ kafka: { topics: ['other'] } }),
  'kafka.format': remade({ kafka: { format: 'bmp' } }),
  'kafka.tls.ca_file': remade({ kafka: { tls: { ca_file: 'package.json' } } }),
  'kafka.tls.cert_file': remade({ kafka: { tls: { cert_file: 'package.json', key_file: 'package.json' } } }),
  'kafka.tls.key_file': remade({ kafka: { tls: { cert_file: 'LICENSE', key_file: 'package.json' } } }),
  'kafka.sasl.mechanism': remade({ kafka: { sasl: { mechanism: 'plain', username: 'u', password_file: 'LICENSE' } } }),
  'kafka.sasl.username': remade({ kafka: { sasl: { mechanism: 'plain', username: 'v', password_file: 'LICENSE' } } }),
  'kafka.sasl.password_file': remade({
    kafka: { sasl: { mechanism: 'plain', username: 'u', password_file: 'package.json' } },
  }),
  'kafka.history': remade({ kafka: { history: 'data-api' } }),
  proxy_url: {
    // This machine's own addresses never go through a proxy.
    before: otlp({ endpoint: 'http://collector.invalid:4318' }),
    after: ({ other }) => ({ proxy_url: `http://${other.place}` }),
    look: asked('POST http://collector.invalid:4318/v1/metrics'),
  },
  'tls.ca_file': {
    after: (s) => ({ tls: { ca_file: file(s, 'ca.pem', makeCertificate('ca').cert) } }),
    look: () => expect(trustedCas()).toBeDefined(),
  },
  'web.listen_address': 'refused',
  'web.systemd_socket': 'refused',
  'web.config_file': {
    after: (s) => ({
      web: { config_file: file(s, 'web.yml', 'http_server_config: {headers: {X-Frame-Options: deny}}') },
    }),
    look: async (s) => expect((await s.get('/-/healthy')).headers.get('x-frame-options')).toBe('deny'),
  },
  'web.external_url': {
    after: () => ({ web: { external_url: 'http://noc.example/bgp/' } }),
    look: async (s) => expect((await s.get('/bgp/-/healthy')).status).toBe(200),
  },
  'web.route_prefix': {
    after: () => ({ web: { route_prefix: '/routes' } }),
    look: async (s) => expect((await s.get('/routes/metrics')).status).toBe(200),
  },
  'web.telemetry_path': {
    after: () => ({ web: { telemetry_path: '/numbers' } }),
    look: async (s) => expect([(await s.get('/numbers')).status, (await s.get('/metrics')).status]).toEqual([200, 404]),
  },
  'web.enable_lifecycle': {
    after: () => ({ web: { enable_lifecycle: false } }),
    look: async (s) => expect((await s.get('/-/reload', { method: 'POST' })).status).toBe(403),
  },
  'web.page': {
    after: () => ({ web: { page: false } }),
    look: async (s) => expect((await s.get('/api/v1/prefixes')).status).toBe(404),
  },
  'history.max_prefixes': {
    after: () => ({ history: { max_prefixes: 1 } }),
    look: async (s) => {
      const historyOf = async (prefix: string) =>
        ((await (await s.get(`/api/v1/prefixes/${prefix}`)).json()) as { history: unknown }).history;
      expect([(await historyOf(P4)) !== null, (await historyOf(P6)) !== null]).toEqual([true, false]);
    },
  },
  'history.max_changes': {
    before: () => ({ history: { max_changes: 5 } }),
    after: () => ({ history: { max_changes: 0 } }),
    look: async (s) => {
      odd(s, P4, '64777 64500');
      const { changes } = (await (await s.get(`/api/v1/prefixes/${P4}/changes`)).json()) as { changes: unknown[] };
      expect(changes).toEqual([]);
    },
  },
  'table.seed': {
    after: () => ({ table: { seed: false } }),
    look: async (s) => {
      const { status } = (await (await s.get('/api/v1/prefixes')).json()) as { status: { table: string } };
      expect(status.table).toBe('off');
    },
  },
  'table.reseed_interval': {
    after: () => ({ table: { reseed_interval: '10s' } }),
    look: async (s) => expect(await s.sample(requests('rib'))).toBeGreaterThan(4),
  },
  'table.route_ttl': {
    after: () => ({ table: { route_ttl: '1m' } }),
    look: async (s) =>
      expect(await s.sample(`bgp_prefix_vp_losses_total{prefix="${P4}",reason="expired"}`)).toBeGreaterThan(0),
  },
  'table.expected_window': {
    after: () => ({ table: { expected_window: '1m' } }),
    look: async (s) => {
      const [line] = s.simulator.routes();
      const lost = `bgp_prefix_vp_losses_total{prefix="${line.prefix}",reason="withdrawn"}`;
      if ((await s.sample(lost)) === 0) s.simulator.withdraw(line.vpKey, line.prefix);
      expect(await s.sample(lost)).toBeGreaterThan(0);
      const visible = await s.sample(`bgp_prefix_visible_vps{prefix="${line.prefix}"}`);
      expect(await s.sample(`bgp_prefix_expected_vps{prefix="${line.prefix}"}`)).toBe(visible);
    },
  },
  'table.expected_vps': {
    after: () => ({ table: { expected_vps: 'full_feed' } }),
    look: async (s) => expect(await s.sample('bgp_table_full_feed_usable{afi="ipv4"}')).toBe(1),
  },
  'table.vp_poll_interval': {
    after: () => ({ table: { vp_poll_interval: '10s' } }),
    look: async (s) => expect(await s.sample(requests('vantage_points'))).toBeGreaterThan(4),
  },
  'table.data_api_lag': {
    after: () => ({ table: { data_api_lag: '1h' } }),
    look: async (s) => {
      expect(await s.sample('bgp_stream_up{source="bgproutes",session="0"}')).toBe(1);
      expect(await s.sample(`bgp_prefix_trusted{prefix="${P4}"}`)).toBe(0);
    },
  },
  'table.max_vps': 'refused',
  'table.max_more_specifics': {
    after: () => ({ table: { max_more_specifics: 0 } }),
    look: async (s) => {
      odd(s, '192.23.62.128/25', '64777 64500');
      const name = 'bgp_stream_dropped_events_total{source="bgproutes",session="0",reason="more_specific_limit"}';
      expect(await s.sample(name)).toBeGreaterThan(0);
    },
  },
  'table.max_origin_series': {
    after: () => ({ table: { max_origin_series: 1 } }),
    look: async (s) => {
      odd(s, P4, '64777');
      expect(await s.names()).toContain(`bgp_prefix_origin_vps{prefix="${P4}",origin_as="other"}`);
    },
  },
  'table.max_upstream_series': {
    after: () => ({ table: { max_upstream_series: 1 } }),
    look: async (s) => expect(await s.names()).toContain(`bgp_prefix_upstream_vps{prefix="${P4}",upstream_as="other"}`),
  },
  'table.max_more_specific_series': {
    after: () => ({ table: { max_more_specific_series: 0 } }),
    look: async (s) => {
      odd(s, '192.23.62.128/25', '64777 64500');
      expect(await s.names()).toContain(`bgp_prefix_more_specific_vps{prefix="${P4}",more_specific="other"}`);
    },
  },
  'table.countries': {
    after: () => ({ table: { countries: ['NL'] } }),
    look: async (s) => expect((await s.names()).some((name) => name.includes('country="NL"'))).toBe(true),
  },
  'storage.path': 'refused',
  'storage.snapshot_interval': {
    before: (s) => ({ storage: { path: s.folder, snapshot_interval: '1h' } }),
    after: () => ({ storage: { snapshot_interval: '10s' } }),
    look: async (s) => expect(await s.sample('bgp_table_snapshots_total{result="success"}')).toBeGreaterThan(1),
  },
  'rpki.sources': {
    after: (s) => ({ rpki: { sources: [{ file: vrps(s, 0), interval: '10s' }] } }),
    look: async (s) => expect(await s.sample('bgp_rpki_usable')).toBe(1),
  },
  'rpki.max_age': {
    before: (s) => ({ rpki: { max_age: '10m', sources: [{ file: vrps(s, 1_800), interval: '10s' }] } }),
    after: () => ({ rpki: { max_age: '6h' } }),
    look: async (s) => expect(await s.sample('bgp_rpki_usable')).toBe(1),
  },
  'names.as_file': {
    after: (s) => ({ names: { as_file: file(s, 'asn.txt', '64500 EXAMPLE-AS, NL\n64501 OTHER-AS, NL\n') } }),
    look: (s) => expect(s.lines.join('')).toContain('names of ASes were read'),
  },
  'paths.transit_free': {
    before: () => ({ paths: { transit_free: [] } }),
    after: () => ({ paths: { transit_free: [64801, 64802] } }),
    look: async (s) => {
      odd(s, P4, '64801 64803 64802 64500');
      expect(await s.sample(anomalies('valley'))).toBe(1);
    },
  },
  'paths.allowed': {
    before: () => ({ paths: { allowed: [64777] } }),
    after: () => ({ paths: { allowed: [] } }),
    look: async (s) => {
      odd(s, P4, '64777 64500');
      expect(await s.sample(anomalies('private_as'))).toBe(1);
    },
  },
  'otlp.endpoint': { after: otlp(), look: asked('POST /v1/metrics') },
  'otlp.protocol': {
    before: otlp(),
    after: () => ({ otlp: { protocol: 'http/json' } }),
    look: exported(({ headers }) => headers['content-type'] === 'application/json'),
  },
  'otlp.headers': {
    before: otlp(),
    after: () => ({ otlp: { headers: { 'X-Scope-OrgID': 'noc' } } }),
    look: exported(({ headers }) => headers['x-scope-orgid'] === 'noc'),
  },
  'otlp.interval': {
    before: otlp({ interval: '1h' }),
    after: () => ({ otlp: { interval: '1s' } }),
    look: (s) => expect(s.other.bodies.length).toBeGreaterThan(2),
  },
  'otlp.timeout': {
    before: otlp(),
    after: () => ({ otlp: { timeout: '500ms' } }),
    look: (s) => expect(s.lines.filter((line) => line.includes('OTLP export is on'))).toHaveLength(2),
  },
  'otlp.compression': {
    before: otlp(),
    after: () => ({ otlp: { compression: 'gzip' } }),
    look: exported(({ headers }) => headers['content-encoding'] === 'gzip'),
  },
  'otlp.temporality': {
    before: otlp(),
    after: () => ({ otlp: { temporality: 'delta' } }),
    look: (s) => expect(s.lines.join('')).toContain('temporality=delta'),
  },
  'otlp.resource_attributes': {
    before: otlp(),
    after: () => ({ otlp: { resource_attributes: { 'site.name': 'ams' } } }),
    look: exported(({ text }) => text.includes('site.name')),
  },
  ...Object.fromEntries(
    (['ca_file', 'cert_file', 'key_file'] as const).map((key): [string, Case] => [
      `otlp.tls.${key}`,
      {
        before: otlp(),
        after: (s) => {
          const { cert, key: secret } = makeCertificate('client');
          const files = { cert_file: file(s, 'cert.pem', cert), key_file: file(s, 'key.pem', secret) };
          return { otlp: { tls: key === 'ca_file' ? { ca_file: file(s, 'ca.pem', cert) } : files } };
        },
        look: (s) => expect(s.lines.filter((line) => line.includes('OTLP export is on'))).toHaveLength(2),
      },
    ]),
  ),
  'log.level': {
    after: () => ({ log: { level: 'debug' } }),
    look: async (s) => {
      // A connection that is cut again and again while it is made has nothing to tell.
      if ((await s.sample('bgp_stream_up{source="bgproutes",session="0"}')) === 1) s.simulator.faults.cut();
      expect(s.lines.some((line) => line.includes('level=debug'))).toBe(true);
    },
  },
  'log.format': {
    after: () => ({ log: { format: 'json' } }),
    look: (s) => expect(s.lines.at(-1)).toMatch(/^\{.*\}\n$/),
  },
};

/** What a fleet is at a start, and what it may become by a restart. */
const FLEET = { brokers: ['kafka:9092'], sasl: { mechanism: 'plain', username: 'u', password_file: 'LICENSE' } };
const OF_FLEET: Readonly<Record<string, Sections>> = {
  'fleet.brokers': { brokers: ['other:9092'] },
  'fleet.group': { group: 'other' },
  'fleet.instance': { instance: 'other' },
  'fleet.partitions': { partitions: 8 },
  'fleet.events_topic': { events_topic: 'other' },
  'fleet.state_topic': { state_topic: 'other' },
  'fleet.session_timeout': { session_timeout: '10s' },
  'fleet.state_interval': { state_interval: '2m' },
  'fleet.tls.ca_file': { tls: { ca_file: 'package.json' } },
  'fleet.tls.cert_file': { tls: { cert_file: 'package.json', key_file: 'package.json' } },
  'fleet.tls.key_file': { tls: { cert_file: 'LICENSE', key_file: 'package.json' } },
  'fleet.sasl.mechanism': { sasl: { ...FLEET.sasl, mechanism: 'scram-sha-256' } },
  'fleet.sasl.username': { sasl: { ...FLEET.sasl, username: 'v' } },
  'fleet.sasl.password_file': { sasl: { ...FLEET.sasl, password_file: 'package.json' } },
};

const REFUSED: Readonly<Record<string, Sections>> = {
  'web.listen_address': { web: { listen_address: '127.0.0.1:9' } },
  'web.systemd_socket': { web: { systemd_socket: true } },
  'table.max_vps': { table: { max_vps: 500 } },
  'storage.path': { storage: { path: '/nowhere' } },
};

it('every key of the schema has a case here, and those that are refused say why', () => {
  expect([...Object.keys(CASES), ...Object.keys(OF_FLEET)].sort()).toEqual(
    settings()
      .map(({ name }) => name)
      .sort(),
  );
  for (const { name, startOnly } of settings())
    expect([name, CASES[name] === 'refused' || name in OF_FLEET]).toEqual([name, startOnly !== undefined]);
});

describe('a reload takes', () => {
  it.each(Object.keys(CASES).filter((name) => typeof CASES[name] !== 'string'))('%s', async (name) => {
    const { before, after, look } = CASES[name] as Case;
    const { stage: s, change } = await stage(before);
    await seeded(s);
    await expect(Promise.resolve().then(() => look(s))).rejects.toThrow();
    await change(after(s));
    await until(() => look(s));
  });
});

describe('a reload refuses by name, and applies nothing', () => {
  it.each(Object.keys(REFUSED))('%s', async (name) => {
    const { stage: s, change } = await stage(undefined);
    const wanted = merged(REFUSED[name], { prefixes: [{ prefix: P4 }], log: { format: 'json' } });
    await expect(change(wanted)).rejects.toThrow(`${name}: a change takes effect only at a restart: `);
    expect((await s.names()).join('\n')).toContain(P6);
    expect(s.lines.at(-1)).toMatch(/^ts=/);
  });
});

describe('a member of a fleet does not take by reload', () => {
  const all = base({ websocketUrl: 'ws://here', url: 'http://here' });

  it.each(Object.keys(OF_FLEET))('%s', (name) => {
    const [section, part] = name.split('.');
    const before = read({ ...all, fleet: FLEET });
    expect(refusedByReload(before, before)).toEqual([]);
    const refused = refusedByReload(before, read({ ...all, fleet: { ...FLEET, ...OF_FLEET[name] } }));
    expect(refused.map((setting) => setting.name)).toEqual([`${section}.${part}`]);
  });

  it('that there is a fleet', () => {
    const [alone, member] = [read(all), read({ ...all, fleet: FLEET })];
    expect(refusedByReload(alone, member).map(({ name }) => name)).toEqual(['fleet']);
    expect(refusedByReload(member, alone).map(({ name }) => name)).toEqual(['fleet']);
  });
});

it.each(REMADE)('a reload makes the source of %s once more: %j', (_section, sections) => {
  const all = { ...base({ websocketUrl: 'ws://here', url: 'http://here' }), sources: ['ris-live', 'kafka'] };
  const saslOf = { kafka: { sasl: { mechanism: 'scram-sha-256', username: 'u', password_file: 'LICENSE' } } };
  const before = merged(all, 'sasl' in ((sections.kafka as Sections | undefined) ?? {}) ? saslOf : {});
  expect(makeSameFeeds(read(before), read(before))).toBe(true);
  expect(makeSameFeeds(read(before), read(merged(before, sections)))).toBe(false);
});
