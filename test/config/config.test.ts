import { describe, expect, it } from 'vitest';
import { TRANSIT_FREE } from '../../src/bgp/path-sanity.ts';
import { type Config, configSecrets, loadConfig } from '../../src/config/config.ts';
import { formatDuration, parseDuration } from '../../src/config/duration.ts';
import { keysNeeded } from '../../src/config/file/draft.ts';
import type { FlagValues } from '../../src/config/flags.ts';
import { parseListenAddress } from '../../src/config/listen-address.ts';
import { ConfigError } from '../../src/errors.ts';
import { WRONG_CONFIGS } from './wrong-configs.ts';

interface Given {
  readonly yaml?: string;
  readonly flags?: FlagValues;
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}

function load({ yaml, flags, env = { BGP_API_KEY: 'key-123456' }, files = {} }: Given): Config {
  const all: Record<string, string> = yaml === undefined ? files : { 'bgp.yml': yaml, ...files };
  return loadConfig({
    flags: yaml === undefined ? { ...flags } : { 'config.file': 'bgp.yml', ...flags },
    env,
    readFile: (path) => {
      const text = all[path];
      if (text === undefined) throw Object.assign(new Error(`cannot open ${path}`), { code: 'ENOENT' });
      return text;
    },
  });
}

function problemsOf(given: Given): readonly string[] {
  try {
    load(given);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('a wrong configuration', () => {
  it.each(WRONG_CONFIGS)('$name', (wrong) => {
    const problems = problemsOf(wrong);
    expect(problems).toEqual(wrong.problems);
    expect(problems.join('\n')).not.toContain('hidden');
  });

  it('is told as a whole, whatever else is wrong with it', () => {
    // One problem a place, and not what follows from another problem.
    const problems = problemsOf({
      yaml: 'prefixes: [{prefix: 10.0.0.1/8}, {prefix: 10.0.0.0/8, origins: [0, x]}]\nwebb: 1\nlog: {level: x}\n',
      flags: { prefix: ['10.0.0.0/8'] },
      env: {},
    });
    expect(problems).toHaveLength(7);
  });
});

it('a configuration that is nested without end is refused', () => {
  const [problem] = problemsOf({ yaml: `prefixes: ${'['.repeat(50_000)}` });
  expect(problem).toMatch(/^bgp\.yml:1:\d+: not YAML: lists or maps are nested too deeply$/);
});

describe('a configuration', () => {
  it('has defaults for all but prefixes and keys', () => {
    expect(load({ flags: { prefix: ['192.23.62.0/24'] } })).toEqual({
      sources: ['bgproutes'],
      risLive: {
        url: 'wss://ris-live.ripe.net/v1/ws',
        client: 'bgproutes-exporter',
        ripestatUrl: 'https://stat.ripe.net',
        fullFeedOnly: false,
        staleAfterMs: 60_000,
      },
      kafka: {
        brokers: ['stream.routeviews.org:9092'],
        topics: ['^routeviews\\..+\\.bmp_raw$'],
        ...{ format: 'openbmp', history: 'none', tls: undefined, sasl: undefined },
      },
      prefixes: [
        {
          prefix: { text: '192.23.62.0/24', afi: 'ipv4', length: 24, words: [3222748672], hadHostBits: false },
          description: '',
          group: '',
          origins: undefined,
          upstreams: undefined,
        },
      ],
      bgproutes: {
        apiKeys: ['key-123456'],
        websocketUrl: 'wss://websocket.bgproutes.io',
        liveManagerUrl: 'https://live-manager-api.bgproutes.io',
        dataApiUrl: 'https://api.bgproutes.io',
        prefixesPerKey: 10,
        canaryPrefix: undefined,
      },
      tls: {},
      web: {
        listenAddresses: [{ host: '', port: 10_479 }],
        systemdSocket: false,
        telemetryPath: '/metrics',
        routePrefix: '',
        enableLifecycle: false,
        page: true,
      },
      history: { maxPrefixes: 1_000, maxChanges: 200 },
      table: {
        seed: true,
        reseedIntervalMs: 3_600_000,
        routeTtlMs: 0,
        expectedWindowMs: 86_400_000,
        expectedVps: 'seen',
        vpPollIntervalMs: 600_000,
        dataApiLagMs: 120_000,
        countries: [],
        ...{ maxVps: 20_000, maxMoreSpecifics: 256 },
        ...{ maxOriginSeries: 64, maxUpstreamSeries: 256, maxMoreSpecificSeries: 64 },
      },
      storage: { path: undefined, snapshotIntervalMs: 60_000 },
      otlp: undefined,
      log: { level: 'info', format: 'logfmt' },
    });
  });

  it('shares one list among any number of prefixes', () => {
    const entries = Array.from(
      { length: 300 },
      (_, i) => `  - {prefix: 10.${i >> 8}.${i & 255}.0/24, origins: *ours}\n`,
    );
    const { prefixes } = load({
      yaml: `prefixes:\n  - {prefix: 192.0.2.0/24, origins: &ours [64500, 64501]}\n${entries.join('')}bgproutes: {prefixes_per_key: 400}\n`,
    });
    expect(prefixes).toHaveLength(301);
    expect(prefixes.every(({ origins }) => origins?.join() === '64500,64501')).toBe(true);
  });

  it('takes AS_SETs as origins and upstreams, in one spelling', () => {
    const yaml =
      'prefixes: [{prefix: 192.0.2.0/24, origins: [64500, "{64502, AS64501 64502}", "{64503}"], upstreams: ["{2,1}"]}]\n';
    const [{ origins, upstreams }] = load({ yaml }).prefixes;
    expect([origins, upstreams]).toEqual([[64500, '{64501,64502}', 64503], ['{1,2}']]);
  });

  it('takes an alias for the nearest anchor before it', () => {
    const { prefixes } = load({
      yaml: 'prefixes: [{prefix: 10.0.0.0/8, group: &g a}, {prefix: 11.0.0.0/8, group: *g}, {prefix: 12.0.0.0/8, group: &g b}, {prefix: 13.0.0.0/8, group: *g}]',
    });
    expect(prefixes.map(({ group }) => group)).toEqual(['a', 'a', 'b', 'b']);
  });

  it('takes every key of the file', () => {
    const config = load({
      yaml: `
prefixes:
  - prefix: 192.23.62.0/24
    description: customer block
    group: core
    origins: &ours [64500, AS64501, "64502"]
    upstreams: [1103, 3356]
  - prefix: 2A06:3040:10::/48
    origins: *ours
bgproutes:
  api_keys: ["\${KEY_A}", 'b$$\${KEY_B}$c']
  websocket_url: ws://127.0.0.1:8479/
  live_manager_url: http://127.0.0.1:8479
  data_api_url: http://127.0.0.1:8479/api/
  prefixes_per_key: "20"
  canary_prefix: 84.205.64.0/24
web: {listen_address: "[::1]:9000", telemetry_path: /bgp, enable_lifecycle: true, page: off}
history: {max_prefixes: 5, max_changes: 0}
table:
  seed: false
  reseed_interval: 0
  route_ttl: 1d12h
  expected_window: 90m
  expected_vps: full_feed
  vp_poll_interval: 1m30s
  data_api_lag: 500ms
  countries: [NL, NO]
  max_vps: 5000
  max_more_specifics: 0
  max_origin_series: 8
  max_upstream_series: 16
  max_more_specific_series: 4
storage: {path: state, snapshot_interval: 30s}
rpki:
  sources: [{url: "http://validator:8323/json?exclude=routerKeys"}, {file: vrps.json, interval: 1m},
    {url: "rtr://validator:8282"}, {url: "rtrs://[2001:db8::1]"}]
  max_age: 90m
names: {as_file: /var/lib/asn.txt}
paths: {transit_free: [174, AS3356], allowed: ["65000"]}
otlp:
  endpoint: https://collector:4318/v1/metrics?tenant=a
  protocol: http/json
  headers: {Authorization: Bearer abcdefgh}
  interval: 5s
  compression: gzip
  resource_attributes: {site: ams}
log: {level: debug, format: json}
`,
      env: { KEY_A: 'a', KEY_B: 'b' },
    });
    expect(config.prefixes.map(({ prefix, origins, upstreams }) => [prefix.text, origins, upstreams])).toEqual([
      ['192.23.62.0/24', [64500, 64501, 64502], [1103, 3356]],
      ['2a06:3040:10::/48', [64500, 64501, 64502], undefined],
    ]);
    expect(config.prefixes[0]).toMatchObject({ description: 'customer block', group: 'core' });
    expect(config.bgproutes).toEqual({
      apiKeys: ['a', 'b$b$c'],
      websocketUrl: 'ws://127.0.0.1:8479',
      liveManagerUrl: 'http://127.0.0.1:8479',
      dataApiUrl: 'http://127.0.0.1:8479/api',
      prefixesPerKey: 20,
      canaryPrefix: expect.objectContaining({ text: '84.205.64.0/24' }),
    });
    expect(config.web).toEqual({
      listenAddresses: [{ host: '::1', port: 9000 }],
      systemdSocket: false,
      telemetryPath: '/bgp',
      routePrefix: '',
      enableLifecycle: true,
      page: false,
    });
    expect(config.history).toEqual({ maxPrefixes: 5, maxChanges: 0 });
    expect(config.table).toEqual({
      seed: false,
      reseedIntervalMs: 0,
      routeTtlMs: 129_600_000,
      expectedWindowMs: 5_400_000,
      expectedVps: 'full_feed',
      vpPollIntervalMs: 90_000,
      dataApiLagMs: 500,
      countries: ['NL', 'NO'],
      ...{ maxVps: 5_000, maxMoreSpecifics: 0 },
      ...{ maxOriginSeries: 8, maxUpstreamSeries: 16, maxMoreSpecificSeries: 4 },
    });
    expect(config.storage).toEqual({ path: 'state', snapshotIntervalMs: 30_000 });
    expect(config.names).toEqual({ asFile: '/var/lib/asn.txt' });
    expect(config.rpki).toEqual({
      sources: [
        { kind: 'url', url: 'http://validator:8323/json?exclude=routerKeys', intervalMs: 600_000 },
        { kind: 'file', path: 'vrps.json', intervalMs: 60_000 },
        { kind: 'rtr', host: 'validator', port: 8282, tls: false },
        { kind: 'rtr', host: '2001:db8::1', port: 324, tls: true },
      ],
      maxAgeMs: 5_400_000,
    });
    expect(config.paths).toEqual({ transitFree: [174, 3356], allowed: [65_000] });
    expect(config.otlp).toMatchObject({ endpoint: 'https://collector:4318/v1/metrics?tenant=a', timeoutMs: 5_000 });
    expect(config.log).toEqual({ level: 'debug', format: 'json' });
    expect(configSecrets(config)).toEqual(expect.arrayContaining(['a', 'b$b$c', 'Bearer abcdefgh', 'abcdefgh']));
  });

  it('lets flags win over the file, and adds their prefixes', () => {
    const config = load({
      yaml: 'prefixes: [{prefix: 192.0.2.0/24}]\nbgproutes: {api_keys: [of-file]}\nweb: {listen_address: ":1", telemetry_path: /a}\n',
      flags: {
        prefix: ['2001:db8::/32'],
        'bgproutes.api-key-file': ['k1', 'k2'],
        'web.listen-address': '127.0.0.1:0',
        'web.enable-lifecycle': true,
      },
      files: { k1: 'one\n', k2: 'two\r\n\r\nthree' },
    });
    expect(config.prefixes.map(({ prefix }) => prefix.text)).toEqual(['192.0.2.0/24', '2001:db8::/32']);
    expect(config.bgproutes.apiKeys).toEqual(['one', 'two', 'three']);
    expect(config.web).toEqual({
      listenAddresses: [{ host: '127.0.0.1', port: 0 }],
      systemdSocket: false,
      telemetryPath: '/a',
      routePrefix: '',
      page: true,
      enableLifecycle: true,
    });
  });

  it('leaves out what stands around a key, wherever it comes from', () => {
    const flags = { prefix: ['192.0.2.0/24'] };
    const yaml = `prefixes: [{prefix: 192.0.2.0/24}]\nbgproutes: {api_keys: ["\${KEY}"]}\n`;
    expect([
      load({ flags, env: { BGP_API_KEY: 'key-123456\n' } }).bgproutes.apiKeys,
      load({ flags, env: { BGP_API_KEY: '\t key-123456\r\n' } }).bgproutes.apiKeys,
      load({ yaml, env: { KEY: ' key-123456\n' } }).bgproutes.apiKeys,
      load({ flags, env: { BGP_API_KEY_FILE: 'k' }, files: { k: ' key-123456 \n\n' } }).bgproutes.apiKeys,
    ]).toEqual(Array(4).fill(['key-123456']));
  });

  it('needs no key for RIS Live', () => {
    const flags = { prefix: ['192.0.2.0/24'], source: ['ris-live'] };
    const config = load({ flags, env: {} });
    expect(config.sources).toEqual(['ris-live']);
    expect(config.bgproutes.apiKeys).toEqual([]);
    expect(config.risLive).toEqual({
      ...{ url: 'wss://ris-live.ripe.net/v1/ws', client: 'bgproutes-exporter', ripestatUrl: 'https://stat.ripe.net' },
      ...{ fullFeedOnly: false, staleAfterMs: 60_000 },
    });
    const yaml =
      'prefixes: [{prefix: 192.0.2.0/24}]\nsources: [ris-live]\nris_live: {client: noc, full_feed_only: true}\n';
    expect(load({ yaml, env: {} }).risLive).toMatchObject({ client: 'noc', fullFeedOnly: true });
    expect(load({ yaml, flags: { source: ['bgproutes'] }, env: { BGP_API_KEY: 'key-123456' } }).sources).toEqual([
      'bgproutes',
    ]);
  });

  it('takes two sources in the order of their precedence; RIS Live carries what the keys have no room for', () => {
    const prefixes = Array.from({ length: 11 }, (_, i) => `{prefix: 10.0.${i}.0/24}`).join(', ');
    const yaml = `prefixes: [${prefixes}]\nsources: [ris-live, bgproutes]\n`;
    const config = load({ yaml, env: { BGP_API_KEY: 'key-123456' } });
    expect(config.sources).toEqual(['ris-live', 'bgproutes']);
    expect(config.bgproutes.apiKeys).toEqual(['key-123456']);
  });

  it('prefers keys of the file to those of the environment', () => {
    const yaml = 'prefixes: [{prefix: 192.0.2.0/24}]\nbgproutes: {api_key_files: [k]}\n';
    expect(load({ yaml, files: { k: 'of-file' } }).bgproutes.apiKeys).toEqual(['of-file']);
    expect(
      load({ flags: { prefix: ['192.0.2.0/24'] }, env: { BGP_API_KEY: '', BGP_API_KEY_FILE: 'k' }, files: { k: 'x' } })
        .bgproutes.apiKeys,
    ).toEqual(['x']);
  });

  it('resolves paths of the file at its folder, those of flags at the working directory', () => {
    const file = 'prefixes: [{prefix: 192.0.2.0/24}]\nbgproutes: {api_key_files: [k]}\nstorage: {path: ../state}\n';
    const files = { '/etc/bgp/bgp.yml': file, '/etc/bgp/k': 'inner', k: 'outer' };
    const flags = { 'config.file': '/etc/bgp/bgp.yml' };
    expect(load({ flags, files })).toMatchObject({
      bgproutes: { apiKeys: ['inner'] },
      storage: { path: '/etc/state' },
    });
    const overridden = { ...flags, 'bgproutes.api-key-file': ['k'], 'storage.path': 'state' };
    expect(load({ flags: overridden, files })).toMatchObject({
      bgproutes: { apiKeys: ['outer'] },
      storage: { path: 'state' },
    });
  });

  it('may monitor a prefix inside another one', () => {
    expect(load({ flags: { prefix: ['10.0.0.0/8', '10.1.0.0/16', '10.0.0.0/16'] } }).prefixes).toHaveLength(3);
  });

  it('may leave a section empty', () => {
    const yaml = 'prefixes: [{prefix: 192.0.2.0/24}]\nweb:\ntable:\nbgproutes:\nlog: {}\notlp:\n';
    expect(load({ yaml }).web.telemetryPath).toBe('/metrics');
  });

  it('judges nothing unless it is told to; an empty list of transit-free ASes looks for no valleys', () => {
    const of = (yaml: string) => load({ yaml: `prefixes: [{prefix: 192.0.2.0/24}]\n${yaml}` });
    expect([of('').rpki, of('').paths]).toEqual([undefined, undefined]);
    expect(of('paths:\n').paths).toEqual({ transitFree: [...TRANSIT_FREE], allowed: [] });
    expect(of('paths: {transit_free: []}\n').paths).toEqual({ transitFree: [], allowed: [] });
  });

  it('takes warning for warn, as people write it', () => {
    expect(load({ flags: { prefix: ['192.0.2.0/24'], 'log.level': 'warning' } }).log.level).toBe('warn');
  });

  it('takes a key that ends in a line break', () => {
    const env = { BGP_API_KEY: 'key-123456\r\n' };
    expect(load({ flags: { prefix: ['192.0.2.0/24'] }, env }).bgproutes.apiKeys).toEqual(['key-123456']);
  });

  it('takes several listen addresses, of the file and of repeated flags', () => {
    const both = [{ host: '', port: 9000 }, { path: '/run/bgp.sock' }];
    const yaml = 'web: {listen_address: [":9000", "unix:/run/bgp.sock"]}\n';
    const env = { BGP_API_KEY: 'key-123456' };
    expect(load({ yaml, flags: { prefix: ['192.0.2.0/24'] }, env }).web.listenAddresses).toEqual(both);
    const flags = { prefix: ['192.0.2.0/24'], 'web.listen-address': [':9000', 'unix:/run/bgp.sock'] };
    expect(load({ flags, env }).web.listenAddresses).toEqual(both);
  });

  it('needs no web server where metrics are pushed', () => {
    const config = load({
      yaml: 'otlp: {endpoint: http://collector:4318}\n',
      flags: { prefix: ['10.0.0.0/8'], 'web.listen-address': '' },
    });
    expect(config.web.listenAddresses).toEqual([]);
    expect(config.otlp?.timeoutMs).toBe(10_000);
  });

  it('of 10,000 prefixes is read', () => {
    const yaml = `bgproutes: {prefixes_per_key: 10000}\nprefixes:\n${Array.from({ length: 10_000 }, (_, i) => `  - {prefix: 10.${i >> 8}.${i & 255}.0/24, origins: [${i + 1}]}\n`).join('')}`;
    expect(load({ yaml }).prefixes).toHaveLength(10_000);
  });
});

describe('keysNeeded', () => {
  it.each([
    [1, 10, undefined, 1],
    [10, 10, undefined, 1],
    [11, 10, undefined, 2],
    [9, 10, 'canary', 1],
    [10, 10, 'canary', 2],
    [19, 10, 'canary', 3],
    [1, 1, 'canary', Number.POSITIVE_INFINITY],
  ])('%i prefixes, %i a key, canary %s: %i', (count, perKey, canary, needed) => {
    expect(
      keysNeeded(
        Array.from({ length: count }, (_, i) => `p${i}`),
        perKey,
        canary,
      ),
    ).toBe(needed);
  });

  it('does not count a canary twice that is monitored itself', () => {
    expect(keysNeeded(['a', 'b', 'c'], 3, 'b')).toBe(1);
    expect(keysNeeded(['a'], 1, 'a')).toBe(1);
  });
});

describe('durations', () => {
  it.each([
    ['0', 0],
    ['0s', 0],
    ['1h30m', 5_400_000],
    ['90s', 90_000],
    ['500ms', 500],
    ['1m500ms', 60_500],
    ['1y2w3d4h5m6s7ms', 365 * 86_400_000 + 14 * 86_400_000 + 3 * 86_400_000 + 4 * 3_600_000 + 5 * 60_000 + 6_007],
  ])('%s is %i ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
    expect(parseDuration(formatDuration(ms))).toBe(ms);
  });

  it.each(['', '1', 's', '1 h', '1s1m', '1m1m', '-1s', '1.5s', '1e3s', '1H', ' 1s', '1s\n', '9999999999s'])(
    '%j is none',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );
});

describe('listen addresses', () => {
  it.each([
    [':10479', '', 10_479],
    ['127.0.0.1:0', '127.0.0.1', 0],
    ['[::1]:9000', '::1', 9000],
    ['[::]:9000', '::', 9000],
    ['localhost:80', 'localhost', 80],
    ['a-b.example:65535', 'a-b.example', 65_535],
  ])('%s', (text, host, port) => {
    expect(parseListenAddress(text)).toEqual({ host, port });
  });

  it.each([
    '',
    ':',
    '80',
    'host',
    '::1:80',
    '[]:80',
    '[::1]',
    '[x]:80',
    ':-1',
    ':1e3',
    ':65536',
    '-a:80',
    'a..b:80',
    '1.2.3:80',
    'a b:80',
    ':80 ',
  ])('%j is none', (text) => {
    expect(parseListenAddress(text)).toBeUndefined();
  });
});
