/** The program as a user starts it: OTLP alone, its environment, and its stop. */
import { afterEach, describe, expect, it } from 'vitest';
import { EMPTY_SCENARIO } from '../../../src/simulator/scenario/scenario.ts';
import { startSimulator } from '../../../src/simulator/simulator.ts';
import { freePort } from '../../support/free-port.ts';
import { type Program, startProgram } from '../../support/program.ts';
import { accept, Receiver } from './receiver.ts';
import { until } from './until.ts';

const KEY = 'key-of-the-program-test';
const TOKEN = 'bearer-of-the-program-test';
const PREFIX = '192.23.62.0/24';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function receiver(): Promise<Receiver> {
  const collector = await new Receiver().start();
  cleanups.push(() => collector.stop());
  return collector;
}

/** With OTLP and without the web server. */
async function program(env: Readonly<Record<string, string>>, args: readonly string[] = []): Promise<Program> {
  const simulator = await startSimulator({
    apiKeys: [KEY],
    scenario: { ...EMPTY_SCENARIO, vps: 20, generate_unknown_prefixes: true },
  });
  cleanups.push(() => simulator.stop());
  const running = startProgram(
    [
      `--prefix=${PREFIX}`,
      `--bgproutes.websocket-url=${simulator.websocketUrl}`,
      `--bgproutes.live-manager-url=${simulator.url}`,
      `--bgproutes.data-api-url=${simulator.url}`,
      '--web.listen-address=',
      '--log.level=debug',
      ...args,
    ],
    { BGP_API_KEY: KEY, ...env },
  );
  cleanups.push(() => running.child.kill('SIGKILL'));
  await running.seen(/OTLP export is on/);
  return running;
}

describe('the program', () => {
  it('pushes without a web server, and a last time when it is stopped', async () => {
    const collector = await receiver();
    const { child, exit, stdout, stderr, seen } = await program({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin,
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${TOKEN}`,
      // An export may take as long as its interval; on a busy machine a second is too little.
      OTEL_METRIC_EXPORT_INTERVAL: '5000',
      OTEL_SERVICE_NAME: 'edge',
    });
    await until('an export', () => collector.requests.length > 0);
    const [{ headers, decoded }] = collector.requests;
    expect(headers.authorization).toBe(`Bearer ${TOKEN}`);
    expect(decoded.resource).toMatchObject({
      'service.name': 'edge',
      'service.instance.id': expect.stringMatching(/^[^:]+$/),
    });
    await until('a route', () => Number(collector.points('bgp.prefix.visible_vps').at(-1)?.value) > 0);
    await seen(/OTLP export done/);
    const before = collector.requests.length;
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
    expect(collector.requests.length).toBeGreaterThan(before);
    expect(collector.points('bgp.stream.up').at(-1)?.value).toBe(0);
    expect(stdout() + stderr()).not.toContain(TOKEN);
    expect(stdout() + stderr()).not.toContain(KEY);
    expect(stderr()).not.toMatch(/level=(?:warn|error)/);
  });

  it('stops although the collector never answers', async () => {
    const collector = await receiver();
    collector.answer = () => {};
    const { child, exit } = await program({}, [`--otlp.endpoint=${collector.origin}`, '--otlp.interval=1s']);
    await until('an export on its way', () => collector.requests.length > 0);
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
  });

  it('finds a collector that is started after it', async () => {
    const port = await freePort();
    const { seen } = await program({}, [`--otlp.endpoint=http://127.0.0.1:${port}`, '--otlp.interval=1s']);
    await seen(/level=warn msg="OTLP export failed".* result=unavailable/);
    const late = await new Receiver().start(port);
    cleanups.push(() => late.stop());
    late.answer = accept;
    await seen(/OTLP exports succeed again/);
    await until('its count', () =>
      late
        .points('bgp.exporter.otlp_exports')
        .some(({ attributes, value }) => attributes.result === 'unavailable' && Number(value) > 0),
    );
  });
});
