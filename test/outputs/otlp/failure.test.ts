import { createServer, type Server, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import type { OtlpConfig } from '../../../src/config/otlp/otlp-config.ts';
import { createLogger } from '../../../src/logger.ts';
import type { OtlpResult } from '../../../src/metrics/figures/exporter-figures.ts';
import {
  type OtlpDependencies,
  type RunningOtlp,
  STOP_TIMEOUT_MS,
  startOtlp,
} from '../../../src/outputs/otlp/setup.ts';
import { RecordingLogger } from '../../stream/recording-logger.ts';
import { freePort } from '../../support/free-port.ts';
import { accept, Receiver, status } from './receiver.ts';
import { until } from './until.ts';
import { smallWorld, visible } from './world.ts';

const started: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  // Exporters first: a receiver that never answers would hold them up.
  await Promise.all(started.splice(0).map((one) => one.stop()));
});

async function receiver(): Promise<Receiver> {
  const one = await new Receiver().start();
  started.push(one);
  return one;
}

async function exporting(
  endpoint: string,
  config: Partial<OtlpConfig> = {},
  dependencies: Partial<OtlpDependencies> = {},
): Promise<{
  otlp: RunningOtlp;
  results: OtlpResult[];
  logger: RecordingLogger;
  world: ReturnType<typeof smallWorld>;
}> {
  const results: OtlpResult[] = [];
  const logger = new RecordingLogger();
  const world = smallWorld();
  const otlp = await startOtlp(
    {
      endpoint,
      protocol: 'http/protobuf',
      headers: {},
      intervalMs: 200,
      exportTimeoutMs: 200,
      timeoutMs: 200,
      compression: 'none',
      temporality: 'cumulative',
      resourceAttributes: {},
      tls: { caFile: undefined, certFile: undefined, keyFile: undefined },
      ...config,
    },
    {
      collect: world.collect,
      logger,
      buildInfo: { version: '1' },
      onExport: (result) => results.push(result),
      backoffMs: 20,
      ...dependencies,
    },
  );
  started.push(otlp);
  return { otlp, results, logger, world };
}

const LONG = { intervalMs: 60_000, exportTimeoutMs: 30_000, timeoutMs: 10_000 };
/** Exports one after the other, none of which runs out of time although the machine is busy. */
const PATIENT = { intervalMs: 500, exportTimeoutMs: 30_000, timeoutMs: 10_000 };

/** One export, the last one of a stop, which has seconds for its answer however busy the machine is. */
async function exportOnce(
  endpoint: string,
  config: Partial<OtlpConfig> = {},
): Promise<{ result: OtlpResult; logger: RecordingLogger }> {
  const { otlp, results, logger } = await exporting(endpoint, { ...LONG, ...config });
  await otlp.stop();
  expect(results).toHaveLength(1);
  return { result: results[0], logger };
}

/** A TCP server whose connections are handled by hand. */
async function tcp(
  handle: (socket: Socket) => void,
): Promise<{ readonly endpoint: string; readonly connections: () => number }> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server: Server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    handle(socket);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  started.push({
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { endpoint: `http://127.0.0.1:${port}/v1/metrics`, connections: () => connections };
}

describe('the gRPC port of a collector', () => {
  it('is told as such, with what to do', async () => {
    const { endpoint } = await tcp((socket) =>
      socket.once('data', () => socket.end(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 8, 7, 0, 0, 0, 0, 0]))),
    );
    const { result, logger } = await exportOnce(endpoint);
    expect(result).toBe('error');
    expect(logger.values('detail')[0]).toMatch(
      /^the endpoint speaks gRPC, .*usually 4318 \(protocol http\/protobuf\): /,
    );
  });
});

describe('a collector that is down', () => {
  it('makes exports unavailable, is said once in the log, and is found again when it is back', async () => {
    const port = await freePort();
    const endpoint = `http://127.0.0.1:${port}/v1/metrics`;
    const { results, logger } = await exporting(endpoint);
    await until('three failed exports', () => results.length >= 3);
    expect(new Set(results)).toEqual(new Set(['unavailable']));
    const warnings = logger.lines.filter(({ level }) => level === 'warn');
    expect(warnings.map(({ message, fields }) => [message, fields.result])).toEqual([
      ['OTLP export failed', 'unavailable'],
    ]);
    expect(logger.values('detail').join('\n')).toContain('ECONNREFUSED');
    const back = await new Receiver().start(port);
    started.push(back);
    await until('an export', () => results.includes('success'));
    expect(logger.lines.map(({ message }) => message)).toContain('OTLP exports succeed again');
    expect(back.points(visible.otlpName).length).toBeGreaterThan(0);
  });
});

describe('an answer', () => {
  it.each([
    [429, 'unavailable'],
    [502, 'unavailable'],
    [503, 'unavailable'],
    [504, 'unavailable'],
    [400, 'rejected'],
    [401, 'rejected'],
    [404, 'rejected'],
    [413, 'rejected'],
    [500, 'error'],
    [501, 'error'],
  ] as const)('of status %d makes an export %s', async (code, expected) => {
    const collector = await receiver();
    // To be retried later than there is time: what this answer makes of the export is then its result.
    collector.answer = status(code, { 'retry-after': '60' }, 'because of\nthis');
    const { result, logger } = await exportOnce(collector.endpoint);
    expect(result).toBe(expected);
    const [warning] = logger.lines.filter(({ level }) => level === 'warn');
    expect(warning.fields).toMatchObject({
      status: code,
      detail: `HTTP status ${code}: because of this`,
      component: 'otlp',
    });
  });

  it.each([
    ['https://collector.example.net/v1/metrics', 'https://collector.example.net/v1/metrics'],
    ['/login?token=hidden', '/login…'],
    ['http://user:hidden@127.0.0.1:1/#hidden', 'http://…@127.0.0.1:1/…'],
    [`/${'x'.repeat(1_000)}`, `/${'x'.repeat(298)}…`],
  ])('that is a redirect to %s is not followed, and the log says where it leads', async (location, shown) => {
    const collector = await receiver();
    collector.answer = status(301, { location });
    const { result, logger } = await exportOnce(collector.endpoint);
    expect(result).toBe('rejected');
    expect(logger.values('detail')[0]).toBe(`HTTP status 301 to ${shown}`);
  });

  it.each([400, 500])('of status %d is not asked for twice', async (code) => {
    const collector = await receiver();
    collector.next.push(status(code));
    await exportOnce(collector.endpoint);
    expect(collector.requests).toHaveLength(1);
  });

  it('of status 503 is retried until it is another one', async () => {
    const collector = await receiver();
    collector.next.push(status(503), status(429), status(503));
    const { results, otlp } = await exporting(collector.endpoint, LONG);
    await otlp.stop();
    expect(results).toEqual(['success']);
    expect(collector.requests).toHaveLength(4);
    const bodies = new Set(collector.requests.map(({ body }) => body.toString('hex')));
    expect(bodies.size).toBe(1);
  });

  it('with Retry-After is retried then, not before', async () => {
    const collector = await receiver();
    collector.next.push(status(503, { 'retry-after': '1' }));
    const { results, otlp } = await exporting(collector.endpoint, LONG);
    await otlp.stop();
    expect(results).toEqual(['success']);
    const [first, second] = collector.requests.map(({ atMs }) => atMs);
    expect(second - first).toBeGreaterThanOrEqual(990);
  });

  it('with a Retry-After beyond the timeout lets the collector alone until then, but for the last export', async () => {
    const collector = await receiver();
    collector.next.push(status(429, { 'retry-after': new Date(Date.now() + 60_000).toUTCString() }));
    const { results, logger, otlp } = await exporting(collector.endpoint, PATIENT);
    await until('three exports', () => results.length >= 3);
    expect(results.every((result) => result === 'unavailable')).toBe(true);
    expect(collector.requests).toHaveLength(1);
    expect(logger.values('detail').at(-1)).toMatch(/^the collector asked to be left alone for [0-9]+ s more$/);
    await otlp.stop();
    expect(collector.requests).toHaveLength(2);
    expect(results.at(-1)).toBe('success');
  });

  it('that is a partial success makes an export partial, and says how many points were refused', async () => {
    const collector = await receiver();
    collector.answer = status(200, {}, Buffer.from('0a0c08ac021207746f6f206f6c64', 'hex'));
    const { results, logger } = await exporting(collector.endpoint, PATIENT);
    await until('two exports', () => results.length >= 2);
    expect(results.slice(0, 2)).toEqual(['partial', 'partial']);
    const warnings = logger.lines.filter(({ level }) => level === 'warn');
    expect(warnings.map(({ message }) => message)).toEqual(['an OTLP export was refused in part']);
    expect(warnings[0].fields.detail).toBe('300 points were refused: too old');
  });

  it('that is a partial success in JSON is read as well', async () => {
    const collector = await receiver();
    const body = '{"partialSuccess":{"rejectedDataPoints":"3","errorMessage":"no"}}';
    collector.answer = status(200, { 'content-type': 'application/json' }, body);
    const { result } = await exportOnce(collector.endpoint, { protocol: 'http/json' });
    expect(result).toBe('partial');
  });

  it('that accepts all with a warning is a success, and the warning is logged', async () => {
    const collector = await receiver();
    collector.answer = status(200, {}, Buffer.from('0a0412026868', 'hex'));
    const { result, logger } = await exportOnce(collector.endpoint);
    expect(result).toBe('success');
    expect(logger.lines.find(({ level }) => level === 'warn')?.fields.detail).toBe('warning: hh');
  });

  it.each([
    ['an HTML page', '<html>OK</html>'],
    ['a line of text', 'ok'],
    ['a cut message', Buffer.from('0aff', 'hex')],
  ])('of status 200 with %s is a success all the same', async (_, body) => {
    const collector = await receiver();
    collector.answer = status(200, {}, body);
    const { result } = await exportOnce(collector.endpoint);
    expect(result).toBe('success');
  });

  it.each([
    [
      'switches to another protocol',
      (socket: Socket) =>
        void socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n'),
    ],
    ['is none, only the end of the connection', (socket: Socket) => void socket.end()],
    [
      'says again and again that it will come',
      (socket: Socket) => {
        const endless = setInterval(() => socket.write('HTTP/1.1 100 Continue\r\n\r\n'), 5);
        socket.on('close', () => clearInterval(endless));
      },
    ],
    [
      'is compressed with what nobody asked for',
      (socket: Socket) => void socket.end('HTTP/1.1 400 No\r\nContent-Encoding: br\r\n\r\nx'),
    ],
  ])('that %s does not keep later exports from the collector', async (_, answer) => {
    const collector = await receiver();
    collector.next.push(({ socket }) => {
      if (socket !== null) answer(socket);
    });
    const { results } = await exporting(collector.endpoint);
    await until('an export that the collector took', () => results.includes('success'));
    expect(collector.requests.length).toBeGreaterThanOrEqual(2);
  });

  it('without end is cut', async () => {
    const collector = await receiver();
    collector.answer = (response) => {
      response.writeHead(400);
      const endless = setInterval(() => response.write('x'.repeat(60_000)), 1);
      response.on('close', () => clearInterval(endless));
    };
    const { result, logger } = await exportOnce(collector.endpoint);
    expect(result).toBe('rejected');
    expect(String(logger.values('detail')[0]).length).toBeLessThan(400);
  });
});

describe('a collector that is slow', () => {
  it('ends an export in time, and no more than one is on its way', async () => {
    const collector = await receiver();
    let open = 0;
    let most = 0;
    collector.answer = (response) => {
      most = Math.max(most, ++open);
      response.on('close', () => open--);
    };
    const { results, world } = await exporting(collector.endpoint);
    let collections = 0;
    const { series } = world;
    world.series.get = function get(metric) {
      collections++;
      return Map.prototype.get.call(this, metric) as ReturnType<typeof series.get>;
    };
    await until('five exports', () => results.length >= 5);
    expect(results.every((result) => result === 'unavailable')).toBe(true);
    expect(most).toBe(1);
    expect(collections).toBeLessThanOrEqual(7 * results.length);
    await until('the last one to be given up', () => open <= 1);
    collector.answer = accept;
    await until('an export', () => results.includes('success'));
  });

  it('ends an export in time although the clock is set back in the middle of it', async () => {
    const collector = await receiver();
    let setBackMs = 0;
    const now = () => Date.now() - setBackMs;
    collector.answer = (response, request) => {
      setBackMs += 3_600_000;
      status(503)(response, request);
    };
    const { results, otlp } = await exporting(collector.endpoint, {}, { now });
    await until('three exports', () => results.length >= 3);
    expect(results.slice(0, 3)).toEqual(['unavailable', 'unavailable', 'unavailable']);
    await otlp.stop();
  });

  it('that gives its answer byte by byte ends an export in time too', async () => {
    const { endpoint } = await tcp((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const trickle = setInterval(() => socket.write('x-more: 1\r\n'), 20);
      socket.on('close', () => clearInterval(trickle));
    });
    const { results, otlp } = await exporting(endpoint, {
      ...LONG,
      intervalMs: 300,
      exportTimeoutMs: 300,
      timeoutMs: 300,
    });
    await until('an export', () => results.length > 0);
    expect(results[0]).toBe('unavailable');
    await otlp.stop();
  });

  it('that takes connections and reads nothing does not hold up anything', async () => {
    const { endpoint } = await tcp((socket) => socket.pause());
    const { results } = await exporting(endpoint);
    await until('three exports', () => results.length >= 3);
    expect(results.slice(0, 3)).toEqual(['unavailable', 'unavailable', 'unavailable']);
  });

  it('that hangs up in the middle is unavailable; one that speaks no HTTP is an error', async () => {
    const cut = await tcp((socket) => socket.once('data', () => socket.destroy()));
    const foreign = await tcp((socket) => socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.2\r\n')));
    const { results, otlp } = await exporting(cut.endpoint);
    await until('an export', () => results.length > 0);
    expect(results[0]).toBe('unavailable');
    await otlp.stop();
    expect((await exportOnce(foreign.endpoint)).result).toBe('error');
  });
});

describe('a stop', () => {
  it.each([
    ['never answers', (): void => {}],
    ['asks to wait for a minute', status(503, { 'retry-after': '60' })],
    ['is busy', status(503)],
  ] as const)('is over in time when the collector %s, an export being on its way', async (_, answer) => {
    const collector = await receiver();
    collector.answer = answer;
    const { otlp, results } = await exporting(collector.endpoint, {
      ...LONG,
      intervalMs: 100,
      exportTimeoutMs: 60_000,
    });
    await until('an export on its way', () => collector.requests.length > 0);
    // An export may take a minute, and so may a wait for the collector: either is longer than this test may take.
    await otlp.stop();
    expect(results.length).toBeGreaterThanOrEqual(2);
    const requests = collector.requests.length;
    await until('the end of its connections', () => collector.openSockets === 0);
    expect(collector.requests).toHaveLength(requests);
  });

  it('is over sooner when less time is left for it', async () => {
    const collector = await receiver();
    collector.answer = () => {};
    const { otlp, results, logger } = await exporting(collector.endpoint, LONG);
    await otlp.stop(1_000);
    expect(results).toEqual(['unavailable']);
    expect(collector.requests).toHaveLength(1);
    // How long the last export was given, of what a stop has otherwise.
    const [, givenMs] = /^no answer within (\d+) ms$/.exec(String(logger.values('detail')[0])) ?? [];
    expect(Number(givenMs)).toBeLessThanOrEqual(1_000);
    expect(STOP_TIMEOUT_MS).toBeGreaterThan(1_000);
  });

  it('gets the last export out although the one before it hangs', async () => {
    const collector = await receiver();
    collector.next.push(() => {});
    const { otlp, results, world } = await exporting(collector.endpoint, { ...LONG, intervalMs: 100 });
    await until('an export on its way', () => collector.requests.length > 0);
    world.set(visible, ['192.0.2.0/24'], 4_711);
    await otlp.stop();
    expect(results).toEqual(['unavailable', 'success']);
    expect(collector.points(visible.otlpName, 1)[0].value).toBe(4_711);
  });
});

describe('series that vanish while the collector cannot be reached', () => {
  it('are said to be gone when it can be reached again', async () => {
    const collector = await receiver();
    const { results, world } = await exporting(collector.endpoint);
    await until('an export', () => results.includes('success'));
    collector.answer = status(503);
    world.remove(visible, ['192.0.2.0/24']);
    const failedFrom = results.length;
    await until('a failed export', () => results.slice(failedFrom).includes('unavailable'));
    collector.answer = accept;
    const from = collector.requests.length;
    const before = results.length;
    await until('an export', () => results.slice(before).includes('success'));
    const gone = collector.points(visible.otlpName, from).filter(({ value }) => value === undefined);
    expect(gone.at(-1)?.attributes).toEqual({ prefix: '192.0.2.0/24' });
  });
});

describe('secrets', () => {
  const TOKEN = 'tok-5ecret-0f-headers';

  it('of headers and of the URL reach the collector and no log, whatever it answers', async () => {
    const lines: string[] = [];
    const destination = new PassThrough().on('data', (chunk: Buffer) => lines.push(chunk.toString()));
    const collector = await receiver();
    const echo = (code: number) => status(code, {}, `you sent Authorization: Bearer ${TOKEN} and ?tenant=${TOKEN}`);
    collector.next.push(echo(400), echo(401), echo(500), echo(503));
    collector.answer = (response) => response.destroy(new Error(TOKEN));
    const endpoint = `${collector.endpoint}?tenant=${TOKEN}`;
    const { results } = await exporting(
      endpoint,
      {
        intervalMs: 500,
        exportTimeoutMs: 2_000,
        timeoutMs: 2_000,
        headers: { authorization: `Bearer ${TOKEN}`, 'x-api-key': TOKEN },
      },
      { logger: createLogger({ level: 'debug', format: 'json', destination }) },
    );
    await until('six exports', () => results.length >= 6);
    expect(collector.requests[0].headers).toMatchObject({ authorization: `Bearer ${TOKEN}`, 'x-api-key': TOKEN });
    expect(collector.requests[0].url).toBe(`/v1/metrics?tenant=${TOKEN}`);
    expect(lines.join('')).toContain('HTTP status 400: you sent Authorization: [redacted] and ?tenant=[redacted]');
    expect(lines.join('')).toContain(`"endpoint":"${collector.endpoint}"`);
    expect(lines.join('')).not.toContain(TOKEN);
  });
});
