/** A fleet on a real broker: an ingest and three exporters show what one exporter shows, whatever ends or stands still. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Simulator } from '../../src/simulator/contract.ts';
import { EMPTY_SCENARIO } from '../../src/simulator/scenario/scenario.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { type Program, startProgram } from '../support/program.ts';

const SCRIPT = join(resolve(process.env.KAFKA_TOOLS ?? '../shared/kafka'), 'broker.sh');
const PORT = Number(process.env.KAFKA_TEST_PORT ?? 21_520);
const KEYS = ['fleet-key-0', 'fleet-key-1'] as const;
const WAIT = { timeout: 90_000, interval: 250 };
const SESSION_S = 6;
/** Two of them nested, so that not every prefix is one of its own. */
const PREFIXES = [...Array.from({ length: 300 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`), '10.1.0.0/16'];

/** They name the source, which is the fleet. */
const OF_SOURCES = ['bgp_prefix_session_info{', 'bgp_prefix_source_vps{', 'bgp_prefix_source_trusted{'];

const folder = mkdtempSync(join(tmpdir(), 'fleet-'));
const data = join(folder, 'broker');
const broker = (...args: readonly string[]) => promisify(execFile)('bash', [SCRIPT, ...args], { timeout: 300_000 });

let simulator: Simulator;
const programs = new Map<string, { readonly program: Program; readonly url: string }>();

beforeAll(async () => {
  if (!existsSync(SCRIPT)) throw new Error(`${SCRIPT} is missing: KAFKA_TOOLS names the folder of broker.sh`);
  await broker('start', data, String(PORT));
  simulator = await startSimulator({
    ...{ apiKeys: [...KEYS], seed: 7, maxPrefixes: 1_000, dataApiLatencyMs: 0, dataApiLagMs: 0, heartbeatMs: 0 },
    scenario: { ...EMPTY_SCENARIO, vps: 30, generate_unknown_prefixes: true },
  });
}, 300_000);

afterAll(async () => {
  for (const { program } of programs.values()) program.child.kill('SIGKILL');
  await simulator?.stop();
  if (existsSync(SCRIPT)) await broker('stop', data);
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

function configFile(name: string, isFleet: boolean): string {
  const file = join(folder, `${name}.yml`);
  const fleet = `fleet: {brokers: ['127.0.0.1:${PORT}'], partitions: 12, instance: ${name}, session_timeout: ${SESSION_S}s, state_interval: 2s}`;
  writeFileSync(
    file,
    `prefixes: [${PREFIXES.map((prefix) => `{prefix: ${prefix}}`).join(', ')}]
bgproutes:
  api_keys: [${KEYS[isFleet ? 0 : 1]}]
  prefixes_per_key: 1000
  websocket_url: ${simulator.websocketUrl}
  live_manager_url: ${simulator.url}
  data_api_url: ${simulator.url}
table: {data_api_lag: 0s, vp_poll_interval: 10s}
web: {listen_address: '127.0.0.1:0'}
${isFleet ? fleet : ''}
`,
  );
  return file;
}

async function start(name: string, command: 'serve' | 'ingest', isFleet = true): Promise<Program> {
  const program = startProgram([command, `--config.file=${configFile(name, isFleet)}`]);
  const [, address] = await program.seen(/address=(?:http:\/\/)?([0-9.]+:[0-9]+)/);
  programs.set(name, { program, url: `http://${address}` });
  return program;
}

function end(name: string, signal: NodeJS.Signals): Promise<unknown> {
  const { program } = programs.get(name) as { program: Program };
  program.child.kill(signal);
  programs.delete(name);
  return program.exit;
}

/** Samples of one exporter whose names begin so, by `name{labels}`; undefined: it does not answer. */
async function samples(name: string, prefix = 'bgp_prefix_'): Promise<Map<string, string> | undefined> {
  const url = programs.get(name)?.url;
  if (url === undefined) return undefined;
  try {
    const text = await (await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(10_000) })).text();
    const isCompared = (line: string) => line.startsWith(prefix) && !OF_SOURCES.some((name) => line.startsWith(name));
    const lines = text.split('\n').filter(isCompared);
    return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), line.slice(line.lastIndexOf(' ') + 1)]));
  } catch {
    return undefined;
  }
}

const MEMBERS = ['m1', 'm2', 'm3'];

/** All series of the members; fails when two of them show one prefix. */
async function union(): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  for (const part of await Promise.all(MEMBERS.map((name) => samples(name)))) {
    for (const [series, value] of part ?? []) {
      if (all.has(series)) throw new Error(`${series} is shown by two`);
      all.set(series, value);
    }
  }
  return all;
}

async function equal(): Promise<void> {
  await vi.waitFor(async () => {
    const [one, fleet] = [await samples('single'), await union()];
    const expected = [...(one ?? [])].map(([series, value]) => `${series} ${value}`).sort();
    const got = [...fleet].map(([series, value]) => `${series} ${value}`).sort();
    const shown = new Set(got);
    const missing = expected.filter((line) => !shown.has(line));
    expect({ missing: missing.slice(0, 5), series: got.length }).toEqual({ missing: [], series: expected.length });
    expect(expected.length).toBeGreaterThan(PREFIXES.length);
    expect(got.filter((line) => line.startsWith('bgp_prefix_trusted')).every((line) => line.endsWith(' 1'))).toBe(true);
  }, WAIT);
}

let turn = 0;
/** Changes of routes, made up but the same in every run. */
function churn(changes: number): void {
  const vps = simulator.vantagePoints();
  for (let i = 0; i < changes; i++) {
    turn++;
    const { key, asn } = vps[(turn * 7) % vps.length];
    const prefix = PREFIXES[(turn * 13) % PREFIXES.length];
    if (turn % 5 === 0) simulator.withdraw(key, prefix);
    else simulator.announce(key, prefix, { asPath: `${asn} ${64_600 + (turn % 9)} 64500` });
  }
}

/** Changes until the work is done. */
async function churningWhile<T>(work: Promise<T>): Promise<T> {
  let isOver = false;
  const result = work.finally(() => {
    isOver = true;
  });
  result.catch(() => {}); // told when the changes have ended
  while (!isOver) {
    churn(20);
    await new Promise((next) => setTimeout(next, 50));
  }
  return result;
}

/** How many monitored prefixes nobody shows, and that none is shown by two. */
async function hidden(): Promise<number> {
  const shown = [...(await union()).keys()].filter((series) => series.startsWith('bgp_prefix_visible_vps{'));
  return PREFIXES.length - shown.length;
}

const allShown = (limitMs: number) =>
  vi.waitFor(async () => expect(await hidden()).toBe(0), { timeout: limitMs, interval: 100 });

describe.sequential('a fleet', () => {
  it('has its topics made and checked by a command', async () => {
    const file = configFile('command', true);
    const run = async (action: string) => {
      const program = startProgram(['fleet', action, `--config.file=${file}`]);
      return { code: await program.exit, text: program.stdout() + program.stderr() };
    };
    expect(await run('check')).toMatchObject({ code: 1, text: expect.stringMatching(/bgp\.events is missing/) });
    expect(await run('create-topics')).toMatchObject({ code: 0, text: expect.stringMatching(/bgp\.state: made/) });
    await vi.waitFor(async () => expect(await run('check')).toMatchObject({ code: 0 }), WAIT);
    writeFileSync(file, `fleet: {brokers: ['127.0.0.1:${PORT}'], partitions: 13}\nprefixes: [{prefix: 10.0.0.0/8}]\n`);
    expect(await run('check')).toMatchObject({ code: 1, text: expect.stringMatching(/has 12 partitions/) });
  }, 120_000);

  it('shows what one exporter shows, counters included', async () => {
    await start('ingest', 'ingest');
    await Promise.all([start('single', 'serve', false), ...MEMBERS.map((name) => start(name, 'serve'))]);
    await equal();
    await churningWhile(new Promise((done) => setTimeout(done, 3_000)));
    await equal();
    for (const name of MEMBERS) expect((await fetch(`${programs.get(name)?.url}/-/ready`)).status).toBe(200);
  }, 300_000);

  it('goes on when a member is killed, and when it comes back', async () => {
    await end('m1', 'SIGKILL');
    const beganAt = performance.now();
    await churningWhile(allShown(60_000));
    const hiddenS = (performance.now() - beganAt) / 1_000;
    console.info(`after kill -9 of a member its prefixes were hidden for ${hiddenS.toFixed(1)} s`);
    await equal();
    await churningWhile(start('m1', 'serve'));
    await churningWhile(new Promise((done) => setTimeout(done, 3_000)));
    await churningWhile(allShown(60_000));
    await equal();
  }, 300_000);

  it('moves nothing when a member restarts within its session', async () => {
    const owned = async (name: string) => (await samples(name, 'bgp_fleet_partition_owner{'))?.size;
    const before = await owned('m2');
    await end('m2', 'SIGTERM');
    await start('m2', 'serve');
    await allShown(60_000);
    expect(await owned('m2')).toBe(before);
    await equal();
  }, 300_000);

  it('hides the prefixes of a member that stood still for longer than its session', async () => {
    const { program } = programs.get('m3') as { program: Program };
    program.child.kill('SIGSTOP');
    await churningWhile(allShown(60_000));
    program.child.kill('SIGCONT');
    // In every sample each prefix is shown by one at the most: `union` fails otherwise.
    await churningWhile(
      vi.waitFor(async () => {
        expect(await hidden()).toBe(0);
        expect((await samples('m3', 'bgp_fleet_partitions_owned'))?.get('bgp_fleet_partitions_owned')).not.toBe('0');
      }, WAIT),
    );
    await equal();
  }, 300_000);

  it('hides all while the broker is away for longer than the session, and shows the same when it is back', async () => {
    const ingest = programs.get('ingest')?.program;
    await broker('kill', data);
    const beganAt = performance.now();
    await vi.waitFor(async () => expect(await hidden()).toBe(PREFIXES.length), WAIT);
    console.info(`without a broker all was hidden after ${((performance.now() - beganAt) / 1_000).toFixed(1)} s`);
    // It cannot know whether another one writes by now.
    expect(await ingest?.exit).toBe(1);
    await broker('start', data, String(PORT));
    await start('ingest', 'ingest');
    await equal();
    await churningWhile(new Promise((done) => setTimeout(done, 2_000)));
    await equal();
  }, 300_000);

  it('has one ingest that writes: a second one waits, and takes over when the first is killed', async () => {
    const second = await start('ingest2', 'ingest');
    await second.seen(/another ingest of this fleet writes/);
    await churningWhile(new Promise((done) => setTimeout(done, 2_000)));
    await equal();
    await end('ingest', 'SIGKILL');
    await second.seen(/this ingest writes from now on/);
    const trusted = async () => [...(await union())].filter(([series]) => series.startsWith('bgp_prefix_trusted{'));
    await vi.waitFor(async () => expect((await trusted()).every(([, value]) => value === '1')).toBe(true), WAIT);
    // What was said while nobody listened is told by the history: routes agree again, and no counter has moved for it.
    const routes = (all: Map<string, string> | undefined) =>
      [...(all ?? [])].filter(([series]) => /^bgp_prefix_(visible|origin)_vps/.test(series)).sort();
    churn(200);
    await vi.waitFor(async () => expect(routes(await union())).toEqual(routes(await samples('single'))), WAIT);
  }, 300_000);
});
