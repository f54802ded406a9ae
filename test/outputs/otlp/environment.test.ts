/**
 * Every variable of the OpenTelemetry specification that concerns metrics over HTTP, from the environment to what a real
 * receiver gets: the SDK ignores many of them when a reader is made by hand.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diag } from '@opentelemetry/api';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Config, loadConfig } from '../../../src/config/config.ts';
import { ConfigError } from '../../../src/errors.ts';
import type { OtlpResult } from '../../../src/metrics/figures/exporter-figures.ts';
import { startOtlp } from '../../../src/outputs/otlp/setup.ts';
import { RecordingLogger } from '../../stream/recording-logger.ts';
import { makeCertificate, type TestCertificate } from '../../support/certificates.ts';
import { type ReceivedRequest, Receiver } from './receiver.ts';
import { until } from './until.ts';
import { delay, gap, smallWorld, visible } from './world.ts';

type Env = Readonly<Record<string, string>>;

const started: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(started.splice(0).map((one) => one.stop()));
});

async function receiver(tls?: ConstructorParameters<typeof Receiver>[0]): Promise<Receiver> {
  const one = await new Receiver(tls).start();
  started.push(one);
  return one;
}

/** As the program does it: the same variables are also those of the process, where the SDK looks for them. */
function configOf(env: Env, otlp = ''): Config {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  return loadConfig({
    flags: { prefix: ['192.0.2.0/24'], 'config.file': 'bgp.yml' },
    env: { BGP_API_KEY: 'key', ...env },
    readFile: () => otlp,
  });
}

/** What one export by the configuration makes arrive. */
async function exportOnce(config: Config, collector: Receiver): Promise<ReceivedRequest> {
  const from = collector.requests.length;
  if (config.otlp === undefined) throw new Error('OTLP is off');
  const otlp = await startOtlp(config.otlp, {
    collect: smallWorld().collect,
    logger: new RecordingLogger(),
    buildInfo: { version: '1' },
    onExport: () => {},
  });
  await otlp.stop();
  if (collector.requests.length === from) throw new Error('nothing arrived');
  return collector.requests[from];
}

function problemsOf(env: Env, otlp = ''): readonly string[] {
  try {
    configOf(env, otlp);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('OTEL_EXPORTER_OTLP_ENDPOINT', () => {
  it.each(['', '/', '/otlp', '/otlp/', '/api/v1/otlp?tenant=a'])(
    'with the path %j gets /v1/metrics added',
    async (path) => {
      const collector = await receiver();
      const { url } = await exportOnce(configOf({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin + path }), collector);
      expect(url).toBe(path.replace(/\/?(\?.*)?$/, '/v1/metrics$1'));
    },
  );

  it.each(['/v1/metrics', '/', '/custom/', '/in?key=1'])(
    'of metrics, with the path %j, is taken as it is',
    async (path) => {
      const collector = await receiver();
      const env = {
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9/elsewhere',
        OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: collector.origin + path,
      };
      const { url } = await exportOnce(configOf(env), collector);
      expect(url).toBe(path);
    },
  );

  it('gives way to the file, whose endpoint may have the path or not', async () => {
    const collector = await receiver();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };
    for (const path of ['', '/v1/metrics']) {
      const { url } = await exportOnce(configOf(env, `otlp: {endpoint: "${collector.origin}${path}"}`), collector);
      expect(url).toBe('/v1/metrics');
    }
  });

  it.each([
    'localhost:4318',
    'grpc://collector:4317',
    'https://',
    'http://user:pass-w0rd@collector:4318',
    '/v1/metrics',
  ])('that is %s is refused, and not shown', (endpoint) => {
    const [problem, ...more] = problemsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
    expect(problem).toMatch(/^OTEL_EXPORTER_OTLP_ENDPOINT: expected a URL/);
    expect(problem).not.toContain('pass-w0rd');
    expect(more).toEqual([]);
  });
});

describe('OTEL_EXPORTER_OTLP_HEADERS', () => {
  it('are sent, percent-decoded; those of metrics win, and those of the file over both', async () => {
    const collector = await receiver();
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20a%3Db, x-one=1 ,x-two=2,,x-three=3',
      OTEL_EXPORTER_OTLP_METRICS_HEADERS: 'X-Two=of metrics,x-three=of metrics',
    };
    const { headers } = await exportOnce(configOf(env, 'otlp: {headers: {X-Three: of the file}}'), collector);
    expect(headers).toMatchObject({
      authorization: 'Bearer a=b',
      'x-one': '1',
      'x-two': 'of metrics',
      'x-three': 'of the file',
    });
  });

  it.each([
    ['no-equals-sign', 'expected name=value,name=value with percent-encoded values'],
    ['=hidden', 'expected name=value,name=value with percent-encoded values'],
    ['a=%zzhidden', 'expected name=value,name=value with percent-encoded values'],
    ['a b=hidden', 'expected names of HTTP headers before the ='],
    ['a=hidden%0d%0ax: y', 'expected visible ASCII as the value of a'],
  ])('%j are refused, and not shown', (headers, message) => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_EXPORTER_OTLP_HEADERS: headers };
    expect(problemsOf(env)).toEqual([`OTEL_EXPORTER_OTLP_HEADERS: ${message}`]);
  });
});

describe('OTEL_EXPORTER_OTLP_PROTOCOL', () => {
  it.each([
    [{}, 'application/x-protobuf'],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }, 'application/json'],
    [
      { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json', OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/protobuf' },
      'application/x-protobuf',
    ],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: '' }, 'application/x-protobuf'],
  ])('%j sends %s', async (env, type) => {
    const collector = await receiver();
    const { headers } = await exportOnce(
      configOf({ ...env, OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin }),
      collector,
    );
    expect(headers['content-type']).toBe(type);
  });

  it('grpc is refused with what to do instead', () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4317', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };
    expect(problemsOf(env)).toEqual([
      'OTEL_EXPORTER_OTLP_PROTOCOL: expected one of http/protobuf, http/json, got "grpc" (take the HTTP port of the collector, 4318)',
    ]);
  });
});

describe('OTEL_EXPORTER_OTLP_COMPRESSION', () => {
  it.each([
    [{}, undefined],
    [{ OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' }, 'gzip'],
    [{ OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip', OTEL_EXPORTER_OTLP_METRICS_COMPRESSION: 'none' }, undefined],
    [{ OTEL_EXPORTER_OTLP_METRICS_COMPRESSION: 'gzip' }, 'gzip'],
  ])('%j sends %s', async (env, encoding) => {
    const collector = await receiver();
    const { headers } = await exportOnce(
      configOf({ ...env, OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin }),
      collector,
    );
    expect(headers['content-encoding']).toBe(encoding);
  });

  it('zstd is refused', () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_EXPORTER_OTLP_COMPRESSION: 'zstd' };
    expect(problemsOf(env)).toEqual(['OTEL_EXPORTER_OTLP_COMPRESSION: expected one of none, gzip, got "zstd"']);
  });
});

describe('OTEL_EXPORTER_OTLP_TIMEOUT', () => {
  it.each([
    [{ OTEL_EXPORTER_OTLP_TIMEOUT: '300' }],
    [{ OTEL_EXPORTER_OTLP_TIMEOUT: '9000', OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: '300' }],
    // The whole export is bounded too.
    [{ OTEL_EXPORTER_OTLP_TIMEOUT: '9000', OTEL_METRIC_EXPORT_TIMEOUT: '300' }],
  ])('%j ends a request that gets no answer', async (env) => {
    const collector = await receiver();
    let isGivenUp = false;
    collector.answer = (response) =>
      response.on('close', () => {
        isGivenUp = true;
      });
    const { otlp: config } = configOf({
      ...env,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin,
      OTEL_METRIC_EXPORT_INTERVAL: '1000',
    });
    if (config === undefined) throw new Error('OTLP is off');
    const results: OtlpResult[] = [];
    const logger = new RecordingLogger();
    const dependencies = {
      collect: smallWorld().collect,
      logger,
      buildInfo: { version: '1' },
      onExport: (result: OtlpResult) => results.push(result),
    };
    started.push(await startOtlp(config, dependencies));
    await until('an export', () => results.length > 0);
    expect(results[0]).toBe('unavailable');
    const [, givenMs] = /^no answer within (\d+) ms$/.exec(String(logger.values('detail')[0])) ?? [];
    expect(Number(givenMs)).toBeLessThanOrEqual(300);
    await until('a request to be given up', () => isGivenUp);
  });

  it.each(['10s', '0', '-1', '1e3', '99'])('%j is refused', (timeout) => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_EXPORTER_OTLP_TIMEOUT: timeout };
    expect(problemsOf(env)).toEqual([
      `OTEL_EXPORTER_OTLP_TIMEOUT: expected milliseconds from 100 to 600000, got "${timeout}"`,
    ]);
  });
});

describe('OTEL_METRIC_EXPORT_INTERVAL', () => {
  it('is the time between exports', async () => {
    const collector = await receiver();
    const { otlp: config } = configOf({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin,
      OTEL_METRIC_EXPORT_INTERVAL: '1000',
    });
    if (config === undefined) throw new Error('OTLP is off');
    const dependencies = {
      collect: smallWorld().collect,
      logger: new RecordingLogger(),
      buildInfo: { version: '1' },
      onExport: () => {},
    };
    const beganAtMs = Date.now();
    started.push(await startOtlp(config, dependencies));
    await until('two exports', () => collector.requests.length >= 2);
    const [first, second] = collector.requests.map(({ atMs }) => atMs - beganAtMs);
    expect(first).toBeGreaterThan(950);
    expect(second).toBeGreaterThan(1_900);
  });

  it.each([
    [{}, '', { intervalMs: 60_000, exportTimeoutMs: 30_000, timeoutMs: 10_000 }],
    [{ OTEL_METRIC_EXPORT_INTERVAL: '5000' }, '', { intervalMs: 5_000, exportTimeoutMs: 5_000, timeoutMs: 5_000 }],
    [
      { OTEL_METRIC_EXPORT_INTERVAL: '5000', OTEL_METRIC_EXPORT_TIMEOUT: '2000' },
      '',
      { intervalMs: 5_000, exportTimeoutMs: 2_000, timeoutMs: 2_000 },
    ],
    [
      { OTEL_METRIC_EXPORT_INTERVAL: '5000', OTEL_EXPORTER_OTLP_TIMEOUT: '45000' },
      'otlp: {interval: 2m}',
      { intervalMs: 120_000, exportTimeoutMs: 45_000, timeoutMs: 45_000 },
    ],
    [
      { OTEL_EXPORTER_OTLP_TIMEOUT: '1000' },
      'otlp: {timeout: 3s}',
      { intervalMs: 60_000, exportTimeoutMs: 30_000, timeoutMs: 3_000 },
    ],
  ])('%j with %j in the file gives %j', (env, otlp, times) => {
    const config = configOf({ ...env, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c' }, otlp);
    expect(config.otlp).toMatchObject(times);
  });

  it.each(['500', '1s', '3600001'])('%j is refused', (interval) => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_METRIC_EXPORT_INTERVAL: interval };
    expect(problemsOf(env)).toEqual([
      `OTEL_METRIC_EXPORT_INTERVAL: expected milliseconds from 1000 to 3600000, got "${interval}"`,
    ]);
  });
});

describe('OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME', () => {
  it('are those of the resource; the file wins', async () => {
    const collector = await receiver();
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin,
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=ignored,deployment.environment.name=lab%2C%20two,site=ams,rack=7',
      OTEL_SERVICE_NAME: 'edge-bgp',
    };
    const { decoded } = await exportOnce(configOf(env, 'otlp: {resource_attributes: {site: fra}}'), collector);
    expect(decoded.resource).toMatchObject({
      'service.name': 'edge-bgp',
      'service.version': '1',
      'deployment.environment.name': 'lab, two',
      site: 'fra',
      rack: '7',
    });
  });

  it('that are no pairs are refused', () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_RESOURCE_ATTRIBUTES: 'site' };
    expect(problemsOf(env)).toEqual([
      'OTEL_RESOURCE_ATTRIBUTES: expected name=value,name=value with percent-encoded values',
    ]);
  });
});

describe('OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE', () => {
  it.each([
    ['cumulative', 'cumulative', 'cumulative'],
    ['Delta', 'delta', 'delta'],
    ['LOWMEMORY', 'cumulative', 'delta'],
  ])('%s sends counters as %s and histograms as %s', async (preference, counters, histograms) => {
    const collector = await receiver();
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin,
      OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: preference,
    };
    const { decoded } = await exportOnce(configOf(env), collector);
    const byName = new Map(decoded.metrics.map((metric) => [metric.name, metric]));
    expect(byName.get(gap.otlpName)?.temporality).toBe(counters);
    expect(byName.get(delay.otlpName)?.temporality).toBe(histograms);
    expect(byName.get(visible.otlpName)).toMatchObject({ kind: 'gauge', temporality: undefined });
  });

  it.each([
    ['/api/v1/otlp', 'delta', 1],
    ['/api/v1/otlp', 'lowmemory', 1],
    ['/api/v1/otlp', 'cumulative', 0],
    ['', 'delta', 0],
  ])('with the path %j and %s: %d warnings that Prometheus drops deltas', async (path, preference, warnings) => {
    const collector = await receiver();
    const { otlp: config } = configOf({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin + path,
      OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: preference,
    });
    if (config === undefined) throw new Error('OTLP is off');
    const logger = new RecordingLogger();
    const dependencies = { collect: smallWorld().collect, logger, buildInfo: { version: '1' }, onExport: () => {} };
    started.push(await startOtlp(config, dependencies));
    const said = logger.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
    expect(said).toEqual(
      new Array(warnings).fill('Prometheus drops deltas unless it runs with --enable-feature=otlp-deltatocumulative'),
    );
  });

  it('that is another one is refused', () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c',
      OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'deltas',
    };
    expect(problemsOf(env)).toEqual([
      'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: expected one of cumulative, delta, lowmemory, got "deltas"',
    ]);
  });
});

describe('OTLP is', () => {
  const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c' };
  it.each([
    ['off', {}, ''],
    ['on', ENDPOINT, ''],
    ['on', { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://c' }, ''],
    ['on', { OTEL_METRICS_EXPORTER: 'otlp' }, ''],
    ['on', {}, 'otlp: {endpoint: http://c}'],
    ['on', { OTEL_METRICS_EXPORTER: 'prometheus, otlp' }, ''],
    ['on', { OTEL_METRICS_EXPORTER: 'prometheus' }, 'otlp: {endpoint: http://c}'],
    ['off', { ...ENDPOINT, OTEL_METRICS_EXPORTER: 'prometheus' }, ''],
    ['off', { ...ENDPOINT, OTEL_METRICS_EXPORTER: 'none' }, ''],
    ['off', { OTEL_METRICS_EXPORTER: 'none' }, 'otlp: {endpoint: http://c}'],
    ['off', { ...ENDPOINT, OTEL_SDK_DISABLED: 'true' }, 'otlp: {endpoint: http://c}'],
    ['off', { ...ENDPOINT, OTEL_SDK_DISABLED: 'TRUE' }, ''],
    ['on', { ...ENDPOINT, OTEL_SDK_DISABLED: 'false' }, ''],
    ['on', { ...ENDPOINT, OTEL_METRICS_EXPORTER: '' }, ''],
    ['off', { OTEL_EXPORTER_OTLP_ENDPOINT: '' }, ''],
    // Without OTLP its variables are nobody's business.
    ['off', { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_METRIC_EXPORT_INTERVAL: 'often' }, ''],
    ['off', { ...ENDPOINT, OTEL_SDK_DISABLED: 'true', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, ''],
  ])('%s with %j and %j in the file', (expected, env, otlp) => {
    expect(configOf(env, otlp).otlp === undefined ? 'off' : 'on').toBe(expected);
  });

  it.each([
    [{}, 'otlp.endpoint is not set'],
    [{ ...ENDPOINT, OTEL_SDK_DISABLED: 'True' }, 'OTLP is off: OTEL_SDK_DISABLED is true'],
    [{ ...ENDPOINT, OTEL_METRICS_EXPORTER: 'none' }, 'OTLP is off: OTEL_METRICS_EXPORTER is none'],
    [{ ...ENDPOINT, OTEL_METRICS_EXPORTER: 'prometheus' }, 'OTLP is off: OTEL_METRICS_EXPORTER does not name otlp'],
  ])('missed where it is the only way out, with %j', (env, why) => {
    const load = () =>
      loadConfig({
        flags: { prefix: ['192.0.2.0/24'], 'web.listen-address': '' },
        env: { BGP_API_KEY: 'key', ...env },
      });
    expect(load).toThrow(`nobody would get the metrics: --web.listen-address is empty and ${why}`);
  });

  it('posted to this machine when nothing says where', () => {
    expect(configOf({ OTEL_METRICS_EXPORTER: 'otlp' }).otlp?.endpoint).toBe('http://localhost:4318/v1/metrics');
  });

  it('refused for an exporter that is none', () => {
    expect(problemsOf({ OTEL_METRICS_EXPORTER: 'otlp,console' })).toEqual([
      'OTEL_METRICS_EXPORTER: expected otlp or none, got "console"',
    ]);
  });

  it('not changed by variables of traces, logs and the SDK itself', async () => {
    const collector = await receiver();
    const foreign = await receiver();
    const setLogger = vi.spyOn(diag, 'setLogger');
    const { decoded } = await exportOnce(
      configOf({
        OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: collector.endpoint,
        OTEL_EXPORTER_OTLP_ENDPOINT: foreign.origin,
        OTEL_TRACES_EXPORTER: 'otlp',
        OTEL_LOGS_EXPORTER: 'otlp',
        OTEL_LOG_LEVEL: 'all',
        OTEL_NODE_RESOURCE_DETECTORS: 'all',
        OTEL_PROPAGATORS: 'b3',
      }),
      collector,
    );
    expect(decoded.metrics.length).toBe(5);
    expect(foreign.requests).toEqual([]);
    // The SDK does not take the console for its log.
    expect(setLogger).toHaveBeenCalledTimes(1);
    setLogger.mockRestore();
    expect(process.env.OTEL_LOG_LEVEL).toBe('all');
  });
});

describe('every mistake of the environment', () => {
  it('is reported at once, with those of the file', () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'collector',
      OTEL_EXPORTER_OTLP_HEADERS: 'x',
      OTEL_METRIC_EXPORT_TIMEOUT: 'soon',
      OTEL_EXPORTER_OTLP_CLIENT_KEY: 'key.pem',
    };
    expect(problemsOf(env)).toEqual([
      'OTEL_EXPORTER_OTLP_ENDPOINT: expected a URL that starts with http:// or https://, such as http://localhost:4318',
      'OTEL_EXPORTER_OTLP_HEADERS: expected name=value,name=value with percent-encoded values',
      'OTEL_METRIC_EXPORT_TIMEOUT: expected milliseconds from 100 to 3600000, got "soon"',
      'OTEL_EXPORTER_OTLP_CLIENT_KEY: expected OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE beside it',
    ]);
    expect(problemsOf({}, 'otlp: {endpoint: http://c, tls: {cert_file: a.pem}}')).toEqual([
      'bgp.yml:1:45: otlp.tls.cert_file: expected otlp.tls.key_file beside it',
    ]);
  });
});

describe('TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bgproutes-tls-'));
  const file = (name: string): string => join(folder, name);
  let authority: TestCertificate;
  let server: TestCertificate;
  beforeAll(() => {
    authority = makeCertificate('test authority');
    server = makeCertificate('collector', authority);
    const client = makeCertificate('exporter 7', authority);
    const other = makeCertificate('somebody else');
    writeFileSync(file('ca.pem'), authority.cert);
    writeFileSync(file('client.pem'), client.cert);
    writeFileSync(file('client.key'), client.key);
    writeFileSync(file('other.pem'), other.cert);
    writeFileSync(file('other.key'), other.key);
    writeFileSync(file('empty.pem'), '');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  async function resultOf(env: Env, collector: Receiver): Promise<{ result: OtlpResult; detail: string }> {
    const { otlp: config } = configOf({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin, ...env });
    if (config === undefined) throw new Error('OTLP is off');
    const results: OtlpResult[] = [];
    const logger = new RecordingLogger();
    const otlp = await startOtlp(config, {
      collect: smallWorld().collect,
      logger,
      buildInfo: { version: '1' },
      onExport: (result) => results.push(result),
    });
    await otlp.stop();
    return { result: results[0], detail: String(logger.values('detail')[0] ?? '') };
  }

  it('trusts the authority of OTEL_EXPORTER_OTLP_CERTIFICATE, that of metrics first, and none otherwise', async () => {
    const collector = await receiver({ cert: server.cert, key: server.key });
    const trusted = { OTEL_EXPORTER_OTLP_CERTIFICATE: file('ca.pem') };
    expect(await resultOf(trusted, collector)).toEqual({ result: 'success', detail: '' });
    expect(collector.requests).toHaveLength(1);
    const untrusted = { ...trusted, OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE: file('other.pem') };
    expect((await resultOf(untrusted, collector)).result).toBe('error');
    vi.unstubAllEnvs();
    const { result, detail } = await resultOf({}, collector);
    expect(result).toBe('error');
    expect(detail).toMatch(/certificate/);
    expect(collector.requests).toHaveLength(1);
  });

  it('shows the client certificate of OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and _CLIENT_KEY', async () => {
    const collector = await receiver({ cert: server.cert, key: server.key, ca: authority.cert, requestCert: true });
    const env = {
      OTEL_EXPORTER_OTLP_CERTIFICATE: file('ca.pem'),
      OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: file('client.pem'),
      OTEL_EXPORTER_OTLP_CLIENT_KEY: file('client.key'),
    };
    expect((await resultOf(env, collector)).result).toBe('success');
    expect(collector.requests[0].client).toBe('exporter 7');
    // The server wants one of its own authority.
    const foreign = {
      ...env,
      OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE: file('other.pem'),
      OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY: file('other.key'),
    };
    expect((await resultOf(foreign, collector)).result).not.toBe('success');
    expect(collector.requests).toHaveLength(1);
  });

  it('takes the files of otlp.tls, from the folder of the configuration file', async () => {
    const collector = await receiver({ cert: server.cert, key: server.key, ca: authority.cert, requestCert: true });
    const config = loadConfig({
      flags: { prefix: ['192.0.2.0/24'], 'config.file': file('bgp.yml') },
      env: {
        BGP_API_KEY: 'key',
        OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: 'nowhere',
        OTEL_EXPORTER_OTLP_CLIENT_KEY: 'nowhere',
      },
      readFile: () =>
        `otlp: {endpoint: "${collector.origin}", tls: {ca_file: ca.pem, cert_file: client.pem, key_file: client.key}}`,
    });
    expect((await exportOnce(config, collector)).client).toBe('exporter 7');
  });

  it.each([
    [
      { OTEL_EXPORTER_OTLP_CERTIFICATE: 'absent.pem' },
      /^otlp\.tls\.ca_file \(or OTEL_EXPORTER_OTLP_CERTIFICATE\): absent\.pem cannot be read: no such file/,
    ],
    [
      { OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: file('empty.pem'), OTEL_EXPORTER_OTLP_CLIENT_KEY: file('client.key') },
      /^otlp\.tls: the certificates cannot be used: /,
    ],
    [
      { OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: file('client.pem'), OTEL_EXPORTER_OTLP_CLIENT_KEY: file('other.key') },
      /^otlp\.tls: the certificates cannot be used: .*mismatch/,
    ],
  ])('refuses %j at the start', async (env, message) => {
    const { otlp: config } = configOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://127.0.0.1:9', ...env });
    if (config === undefined) throw new Error('OTLP is off');
    const dependencies = {
      collect: smallWorld().collect,
      logger: new RecordingLogger(),
      buildInfo: { version: '1' },
      onExport: () => {},
    };
    await expect(startOtlp(config, dependencies)).rejects.toThrow(message);
    await expect(startOtlp(config, dependencies)).rejects.toBeInstanceOf(ConfigError);
  });
});

describe('flags', () => {
  it('win over the file and the environment', () => {
    const config = loadConfig({
      flags: {
        prefix: ['192.0.2.0/24'],
        'config.file': 'bgp.yml',
        'otlp.endpoint': 'https://flag:4318/x',
        'otlp.protocol': 'http/json',
        'otlp.interval': '15s',
        'otlp.timeout': '2s',
        'otlp.compression': 'gzip',
      },
      env: { BGP_API_KEY: 'key', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://env', OTEL_METRIC_EXPORT_INTERVAL: '5000' },
      readFile: () => 'otlp: {endpoint: http://file, protocol: http/protobuf, interval: 20s}',
    });
    expect(config.otlp).toMatchObject({
      endpoint: 'https://flag:4318/x/v1/metrics',
      protocol: 'http/json',
      intervalMs: 15_000,
      timeoutMs: 2_000,
      compression: 'gzip',
    });
  });
});
