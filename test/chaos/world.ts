/** What a chaos run works on: the simulator, the exporter in a process of its own, and what the faults have done to both. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Simulator } from '../../src/simulator/contract.ts';
import { type Random, seededRandom } from '../../src/simulator/internet/random.ts';
import { isRisPeer } from '../../src/simulator/services/ris/ris-message.ts';
import { ExporterHandle, type Samples } from './exporter-handle.ts';
import { Oracle } from './oracle.ts';
import type { Scale } from './scaled-timers.ts';

export const PREFIXES = [
  '192.23.62.0/24',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '2001:db8:10::/48',
  '2001:db8::/32',
] as const;
export const MORE_SPECIFICS = ['203.0.113.128/25', '2001:db8:aa::/48'] as const;
export const KEYS = ['chaos-key-number-0', 'chaos-key-number-1'] as const;
export const LAG_MS = 4_000;

/** Sources of the exporter, in the order of precedence. */
export const SOURCES = ['bgproutes', 'ris-live'] as const;
export type ChaosSource = (typeof SOURCES)[number];

export interface ChaosWorldOptions {
  readonly seed: number;
  /** `table.expected_window` of the exporter: short, so that an outage can last longer, or the default. */
  readonly window: '3m' | '24h';
  readonly sources: readonly ChaosSource[];
}

export class ChaosWorld {
  readonly random: Random;
  readonly simulator: Simulator;
  readonly scale: Scale;
  readonly folder: string;
  readonly window: ChaosWorldOptions['window'];
  readonly sources: readonly ChaosSource[];
  readonly oracle: Oracle;
  #exporter: ExporterHandle | undefined;
  readonly dead = new Set<string>();
  /** What was found wrong on the way. */
  readonly problems: string[] = [];
  /** What the exporter said just before the fault. */
  before: Samples = new Map();
  readonly #configFile: string;
  readonly #risPeers: ReadonlySet<string>;

  constructor(options: ChaosWorldOptions, simulator: Simulator, scale: Scale, folder: string) {
    this.random = seededRandom(options.seed, 'chaos');
    this.window = options.window;
    this.sources = options.sources;
    this.simulator = simulator;
    this.#risPeers = new Set(
      simulator
        .vantagePoints()
        .filter(isRisPeer)
        .map(({ key }) => key),
    );
    this.oracle = new Oracle(simulator, options.window === '24h', (vpKey) => this.hears(vpKey));
    this.scale = scale;
    this.folder = folder;
    this.#configFile = join(folder, 'chaos.yml');
  }

  get exporter(): ExporterHandle {
    if (this.#exporter === undefined) throw new Error('the exporter was not started yet');
    return this.#exporter;
  }

  /** Lets a time of the scenario pass. */
  pass(ms: number): Promise<void> {
    return wait(Math.max(1, ms / this.scale.factor));
  }

  async restart(): Promise<void> {
    this.#exporter = await ExporterHandle.start({ configFile: this.#configFile, scale: this.scale });
  }

  /** Writes the configuration that the next start or reload reads. */
  async configure(prefixes: readonly string[]): Promise<void> {
    await writeFile(this.#configFile, this.#configText(prefixes));
  }

  #configText(prefixes: readonly string[]): string {
    const { simulator, folder, window, sources } = this;
    return `
prefixes: [${prefixes.map((prefix) => `{prefix: "${prefix}"}`).join(', ')}]
sources: [${sources.join(', ')}]
bgproutes:
  api_keys: [${KEYS.join(', ')}]
  prefixes_per_key: 3
  websocket_url: ${simulator.websocketUrl}
  live_manager_url: ${simulator.url}
  data_api_url: ${simulator.url}
ris_live: {url: "${simulator.websocketUrl}/v1/ws/", ripestat_url: "${simulator.url}", stale_after: 90s}
web: {listen_address: "127.0.0.1:0"}
storage: {path: ${join(folder, 'storage')}, snapshot_interval: 20s}
table: {data_api_lag: ${LAG_MS / 1000}s, vp_poll_interval: 30s, reseed_interval: 0, expected_window: ${window}}
`;
  }

  /** How many sessions the exporter has. */
  get sessions(): number {
    return this.sources.reduce((sum, source) => sum + (source === 'bgproutes' ? KEYS.length : 1), 0);
  }

  async end(): Promise<void> {
    await this.#exporter?.kill();
  }

  /** Some VPs announce or withdraw something. */
  churn(events: number): void {
    const { random, simulator } = this;
    const vps = simulator.vantagePoints().filter((vp) => vp.isLive && !this.dead.has(vp.key));
    for (let i = 0; i < events; i++) {
      const vp = random.pick(vps);
      const prefix = random.pick([...PREFIXES, ...PREFIXES, ...MORE_SPECIFICS]);
      if (random.chance(0.35)) simulator.withdraw(vp.key, prefix);
      else
        simulator.announce(vp.key, prefix, { asPath: `${vp.asn} ${3000 + random.int(40)} ${64_500 + random.int(3)}` });
      this.oracle.note();
    }
  }

  /** Whether a source of the exporter delivers the VP: RIS Live has only some. */
  hears(vpKey: string): boolean {
    return this.sources.includes('bgproutes') || this.#risPeers.has(vpKey);
  }

  /** The VPs that hold the prefix now, by key. */
  holders(prefix: string): string[] {
    return [...this.simulator.routes()].filter((route) => route.prefix === prefix).map(({ vpKey }) => vpKey);
  }

  /** A VP goes, in the way that `how` does it, unless only few are left. */
  lose(how: (vpKey: string) => void): void {
    const alive = this.simulator.vantagePoints().filter((vp) => vp.isLive && !this.dead.has(vp.key));
    if (alive.length < 20) return;
    const { key } = this.random.pick(alive);
    this.dead.add(key);
    this.oracle.died(key);
    how(key);
  }

  /** The exporter's memory on disk is lost. */
  async forgetSnapshots(): Promise<void> {
    await rm(join(this.folder, 'storage'), { recursive: true, force: true });
  }
}
