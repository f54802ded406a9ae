/** An exporter that runs against a simulator, over real sockets, and can be scraped from a container. */

import { stringify } from 'yaml';
import { loadConfig } from '../../src/config/config.ts';
import { type RunningExporter, startExporter } from '../../src/exporter.ts';
import type { Logger } from '../../src/logger.ts';
import type { Simulator, SimulatorOptions } from '../../src/simulator/contract.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import type { Timers } from '../../src/stream/timers.ts';

export const KEY = 'key-of-the-test';

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

export interface ExporterUnderTest {
  readonly exporter: RunningExporter;
  readonly port: number;
}

/** `config` is what the file would say, without addresses and keys. */
export async function startExporterOn(
  simulator: Simulator,
  config: Record<string, unknown>,
  timers?: Timers,
): Promise<ExporterUnderTest> {
  const { bgproutes, ...rest } = config;
  const text = stringify({
    web: { listen_address: '0.0.0.0:0' },
    // The simulator's Data API does not lag; an hour between comparisons is too long to see one.
    table: { data_api_lag: '0s', reseed_interval: '20s', vp_poll_interval: '10s' },
    ...rest,
    bgproutes: {
      websocket_url: simulator.websocketUrl,
      live_manager_url: simulator.url,
      data_api_url: simulator.url,
      api_keys: [KEY],
      ...(bgproutes as object | undefined),
    },
  });
  const loaded = loadConfig({ flags: { 'config.file': 'test.yml' }, env: {}, readFile: () => text });
  const exporter = await startExporter(loaded, {
    logger: silent,
    timers,
    version: { version: '0.0.0', revision: 'test', nodeVersion: process.versions.node },
  });
  return { exporter, port: Number(/:(\d+)$/.exec(exporter.address!)![1]) };
}

export function simulate(options: Partial<SimulatorOptions>): Promise<Simulator> {
  return startSimulator({
    apiKeys: [KEY],
    dataApiLimits: { requestsPerHour: 1_000_000 },
    ...options,
  } as SimulatorOptions);
}
