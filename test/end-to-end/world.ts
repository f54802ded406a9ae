/** A simulator and an exporter that follows it, in one process, over real sockets, in time that runs as fast as wanted. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect } from 'vitest';
import { vantagePointKey } from '../../src/bgp/vantage-point.ts';
import { type Config, loadConfig } from '../../src/config/config.ts';
import { type RunningExporter, startExporter } from '../../src/exporter.ts';
import type { Simulator, SimulatorOptions } from '../../src/simulator/contract.ts';
import { EMPTY_SCENARIO } from '../../src/simulator/scenario/scenario.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import type { RoutingTable } from '../../src/table/routing-table.ts';
import { type SettableTimers, scaledTimers } from '../chaos/scaled-timers.ts';
import { RecordingLogger } from '../stream/recording-logger.ts';
import { PacedTime } from '../support/paced-time.ts';
import { until } from '../support/patience.ts';

export const KEY = 'end-to-end-key-0';
export const KEY_2 = 'end-to-end-key-1';
export const P4 = '192.23.62.0/24';
export const P6 = '2a06:3040:10::/48';

const cleanups: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** How much faster than real time everything runs, on a machine that keeps up. */
const FACTOR = 20;

export interface World {
  readonly simulator: Simulator;
  readonly timers: SettableTimers;
  /** The clock of the machine that the exporter runs on, which the simulator does not. */
  readonly machine: SettableTimers;
  readonly logger: RecordingLogger;
  /** What the next start or reload of the exporter reads. */
  config: ConfigParts;
  readonly exporter: RunningExporter;
  start(): Promise<RunningExporter>;
}

/** YAML of the sections. */
export interface ConfigParts {
  prefixes: string;
  /** Lines of the section `table`. */
  table: string;
  lag: string;
  poll: string;
  /** Lines of the section `bgproutes`. */
  bgproutes: string;
  /** Other sections. */
  more: string;
  keys: readonly string[];
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bgproutes-e2e-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Nothing happens in it but what the test does. @param factor how much faster than real time everything runs; 1: in real time, to the millisecond */
export async function world(
  parts: Partial<ConfigParts> = {},
  simulation: Partial<SimulatorOptions> = {},
  factor = FACTOR,
): Promise<World> {
  const time = factor === 1 ? undefined : new PacedTime({ factor });
  cleanups.push(() => time?.stop());
  // Beside other programs, which keep real time.
  const real = { originMs: Date.now(), factor };
  const [timers, machine] =
    time === undefined ? [scaledTimers(real), scaledTimers(real)] : [time.clock(), time.clock()];
  const simulator = await startSimulator({
    apiKeys: [KEY, KEY_2],
    seed: 7,
    clock: timers,
    scenario: { ...EMPTY_SCENARIO, vps: 40, generate_unknown_prefixes: true },
    dataApiLatencyMs: 0,
    heartbeatMs: 0,
    ...simulation,
  });
  cleanups.push(() => simulator.stop());
  const logger = new RecordingLogger();
  let running: RunningExporter | undefined;
  const made: World = {
    simulator,
    timers,
    machine,
    logger,
    config: {
      prefixes: `[{prefix: ${P4}}, {prefix: "${P6}"}]`,
      table: '',
      lag: '0',
      poll: '0',
      bgproutes: '',
      more: '',
      keys: [KEY],
      ...parts,
    },
    get exporter() {
      if (running === undefined) throw new Error('the exporter was not started');
      return running;
    },
    async start() {
      const read = (): Config => readConfig(made);
      running = await startExporter(read(), {
        logger,
        timers: machine,
        version: { version: '0.0.0', revision: 'test', nodeVersion: '0' },
        reloadConfig: read,
      });
      const started = running;
      cleanups.push(() => started.stop());
      return running;
    },
  };
  return made;
}

function readConfig({ config, simulator }: World): Config {
  const { prefixes, keys, table, lag, poll, bgproutes, more } = config;
  const text = `
prefixes: ${prefixes}
bgproutes:
  api_keys: [${keys.join(', ')}]
  websocket_url: ${simulator.websocketUrl}
  live_manager_url: ${simulator.url}
  data_api_url: ${simulator.url}
  ${bgproutes}
table:
  data_api_lag: ${lag}
  vp_poll_interval: ${poll}
  reseed_interval: 0
  ${table}
web: {listen_address: "127.0.0.1:0", enable_lifecycle: true}
${more}
`;
  return loadConfig({ flags: { 'config.file': 'test.yml' }, env: {}, readFile: () => text });
}

/** Samples of a scrape by `name{labels}`. */
export async function samples(exporter: RunningExporter): Promise<Map<string, number>> {
  const text = (await exporter.render('text')).toString();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

export async function seeded({ exporter }: World): Promise<void> {
  await until(() => expect(exporter.figures.seeded).toBe(true));
}

/** `VP | prefix | path` of every route of the table. */
export function tableRoutes(table: RoutingTable): string[] {
  const lines: string[] = [];
  for (const state of table.prefixes.states()) {
    for (let number = 0; number < table.vps.end; number++) {
      const vp = table.vps.get(number);
      const cell = table.cells.find(state, number);
      const path = cell === -1 ? 0 : table.cells.path(cell);
      if (vp !== undefined && path !== 0)
        lines.push(`${vantagePointKey(vp)} | ${state.prefix.text} | ${table.paths.text(path)}`);
    }
  }
  return lines.sort();
}

export function trueRoutes(simulator: Simulator, ...prefixes: string[]): string[] {
  const lines: string[] = [];
  for (const { vpKey, prefix, asPath } of simulator.routes()) {
    if (prefixes.includes(prefix)) lines.push(`${vpKey} | ${prefix} | ${asPath}`);
  }
  return lines.sort();
}
