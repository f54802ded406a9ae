/**
 * Faults drawn from a seed while an exporter (a process of its own, two keys, snapshots on) follows a simulator over real
 * sockets. When all is well again and one comparison has passed, both tables must be equal, route by route.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Random, seededRandom } from '../../src/simulator/random.ts';
import { EMPTY_SCENARIO } from '../../src/simulator/scenario.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { ExporterHandle, type Samples, sum } from './exporter-handle.ts';
import { type Scale, scaledTimers } from './scaled-timers.ts';

export interface ChaosOptions {
  readonly seed: number;
  readonly faults: number;
  /** How much faster than real time both sides live. */
  readonly factor?: number;
  readonly onProgress?: (text: string) => void;
}

export interface ChaosResult {
  readonly seed: number;
  /** How often each fault was done. */
  readonly done: Readonly<Record<string, number>>;
  readonly routes: number;
  /** Routes that only one side has, marked by it. */
  readonly differences: readonly string[];
  /** Counters that do not explain a loss. */
  readonly unexplained: readonly string[];
  /** Routes that the comparison at the end still had to correct. */
  readonly corrections: number;
  readonly log: readonly string[];
}

const PREFIXES = ['192.23.62.0/24', '198.51.100.0/24', '203.0.113.0/24', '2001:db8:10::/48', '2001:db8::/32'] as const;
const MORE_SPECIFICS = ['203.0.113.128/25', '2001:db8:aa::/48'] as const;
const KEYS = ['chaos-key-number-0', 'chaos-key-number-1'] as const;
const LAG_MS = 4_000;
const GARBAGE = ['invalid_json', 'truncated', 'binary', { text: '[1]' }, { text: '{"record_type":"update"}' }] as const;

/** A fault: does it, and says which counter must have grown when the exporter felt it. */
interface Fault {
  readonly name: string;
  readonly weight: number;
  act(world: ChaosWorld): Promise<Expectation | undefined>;
}

/** At least `least` more of the metric's samples whose names hold these texts. */
interface Expectation {
  readonly metric: string;
  readonly labels: readonly string[];
}

class ChaosWorld {
  readonly random: Random;
  readonly simulator: Simulator;
  readonly scale: Scale;
  readonly folder: string;
  #exporter: ExporterHandle | undefined;
  readonly dead = new Set<string>();
  /** What the exporter said just before the fault. */
  before: Samples = new Map();
  readonly #configFile: string;

  constructor(options: ChaosOptions, simulator: Simulator, scale: Scale, folder: string) {
    this.random = seededRandom(options.seed, 'chaos');
    this.simulator = simulator;
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
    await writeFile(this.#configFile, configText(this.simulator, this.folder, prefixes));
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
    }
  }
}

function stream(
  name: string,
  weight: number,
  act: (world: ChaosWorld, key: string | undefined) => number,
  expectation?: Expectation,
): Fault {
  return {
    name,
    weight,
    async act(world) {
      const key = world.random.chance(0.5) ? world.random.pick(KEYS) : undefined;
      return isFelt(world, act(world, key), key) ? expectation : undefined;
    },
  };
}

/** Whether the fault hit a session that was up on both sides: one that the exporter gave up, it has counted already. */
function isFelt({ before }: ChaosWorld, hit: number, key?: string): boolean {
  const sessions = key === undefined ? [...KEYS.keys()] : [(KEYS as readonly string[]).indexOf(key)];
  return hit > 0 && sessions.some((session) => sum(before, 'bgp_stream_up', `session="${session}"`) === 1);
}

/** By whatever reason: a connection that breaks twice at once ends by the first. Which reason is which is tested frame by frame. */
const DISCONNECTED: Expectation = { metric: 'bgp_stream_disconnects_total', labels: [] };
const failures = (...labels: string[]): Expectation => ({ metric: 'bgp_stream_decode_failures_total', labels });

const FAULTS: readonly Fault[] = [
  stream('cut', 6, ({ simulator }, key) => simulator.faults.cut(key), DISCONNECTED),
  stream('cut_mid_frame', 3, ({ simulator }, key) => simulator.faults.cutMidFrame(key)),
  stream('stall', 3, ({ simulator }, key) => simulator.faults.stall(key), DISCONNECTED),
  stream('garbage', 6, ({ simulator, random }, key) => simulator.faults.garbage(random.pick(GARBAGE), key), failures()),
  stream('oversized', 2, ({ simulator }, key) => simulator.faults.oversized(undefined, key), DISCONNECTED),
  stream('break_protocol', 2, ({ simulator }, key) => simulator.faults.breakProtocol(key), DISCONNECTED),
  stream('resend', 3, ({ simulator }, key) => simulator.faults.resend(20, key)),
  stream('corrupt', 3, ({ simulator }, key) => simulator.faults.corrupt(2, key)),
  {
    name: 'refuse',
    weight: 2,
    async act(world) {
      world.simulator.faults.refuse(1);
      return isFelt(world, world.simulator.faults.cut()) ? DISCONNECTED : undefined;
    },
  },
  {
    name: 'reject_handshakes',
    weight: 2,
    async act(world) {
      world.simulator.faults.rejectHandshakes(2, 503);
      return isFelt(world, world.simulator.faults.cut()) ? DISCONNECTED : undefined;
    },
  },
  {
    name: 'expire',
    weight: 2,
    // The service tells nobody: the renewal brings the stream back, the gap fill after it what was missed.
    async act({ simulator, random }) {
      simulator.faults.expire(random.pick(KEYS));
      return undefined;
    },
  },
  {
    name: 'api',
    weight: 10,
    async act({ simulator, random }) {
      const endpoint = random.pick(['live_manager', 'vantage_points', 'rib', 'updates'] as const);
      simulator.faults.api(
        endpoint,
        random.pick([429, 500, 503, 'timeout', 'garbage', 'cut'] as const),
        1 + random.int(2),
      );
      if (random.chance(0.5)) simulator.faults.cut();
      return undefined;
    },
  },
  {
    name: 'server_down',
    weight: 2,
    async act(world) {
      await world.simulator.faults.goDown();
      world.churn(5);
      await world.pass(2_000 + world.random.int(8_000));
      await world.simulator.faults.comeBack();
      return undefined;
    },
  },
  {
    name: 'vp_dies',
    weight: 3,
    async act({ simulator, random, dead }) {
      const alive = simulator.vantagePoints().filter((vp) => vp.isLive && !dead.has(vp.key));
      if (alive.length < 20) return undefined;
      const vp = random.pick(alive);
      dead.add(vp.key);
      simulator.faults.killVantagePoint(vp.key);
      return undefined;
    },
  },
  {
    name: 'vp_revives',
    weight: 3,
    async act({ simulator, random, dead }) {
      if (dead.size === 0) return undefined;
      const key = random.pick([...dead]);
      dead.delete(key);
      simulator.faults.reviveVantagePoint(key);
      return undefined;
    },
  },
  {
    name: 'reload',
    weight: 4,
    // Some prefixes go, others come back; at times the service will not have it.
    async act(world) {
      if (world.random.chance(0.3)) world.simulator.faults.refuseAssociation(1);
      await world.configure([PREFIXES[0], ...PREFIXES.slice(1).filter(() => world.random.chance(0.7))]);
      await world.exporter.reload();
      return undefined;
    },
  },
  {
    name: 'kill',
    weight: 2,
    async act(world) {
      await world.exporter.kill();
      world.churn(5);
      await world.pass(world.random.int(4_000));
      await world.restart();
      return undefined;
    },
  },
];

function configText(simulator: Simulator, folder: string, prefixes: readonly string[]): string {
  return `
prefixes: [${prefixes.map((prefix) => `{prefix: "${prefix}"}`).join(', ')}]
bgproutes:
  api_keys: [${KEYS.join(', ')}]
  prefixes_per_key: 3
  websocket_url: ${simulator.websocketUrl}
  live_manager_url: ${simulator.url}
  data_api_url: ${simulator.url}
web: {listen_address: "127.0.0.1:0"}
storage: {path: ${join(folder, 'storage')}, snapshot_interval: 20s}
table: {data_api_lag: ${LAG_MS / 1000}s, vp_poll_interval: 30s, reseed_interval: 0}
`;
}

export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { seed, faults, factor = 30, onProgress = () => {} } = options;
  const scale: Scale = { originMs: Date.now(), factor };
  const timers = scaledTimers(scale);
  const folder = await mkdtemp(join(tmpdir(), 'bgproutes-chaos-'));
  const simulator = await startSimulator({
    apiKeys: KEYS,
    seed,
    vps: 40,
    clock: timers,
    scenario: { ...EMPTY_SCENARIO, vps: 40, generate_unknown_prefixes: true },
    dataApiLagMs: LAG_MS - 1_500,
    dataApiLatencyMs: 1,
    dataApiLimits: { requestsPerHour: 1_000_000, bytesPerHour: 1e12, serverSecondsPerHour: 1e9 } as never,
    heartbeatMs: 0,
  });
  const world = new ChaosWorld(options, simulator, scale, folder);
  const done: Record<string, number> = {};
  const unexplained: string[] = [];
  try {
    await world.configure(PREFIXES);
    await world.restart();
    const weights = FAULTS.flatMap((fault) => new Array<Fault>(fault.weight).fill(fault));
    for (let i = 0; i < faults; i++) {
      world.churn(1 + world.random.int(12));
      const fault = world.random.pick(weights);
      const before = fault.name === 'kill' ? undefined : await world.exporter.samples();
      world.before = before ?? new Map();
      const expectation = await fault.act(world);
      done[fault.name] = (done[fault.name] ?? 0) + 1;
      onProgress(`seed ${seed}: fault ${i + 1} of ${faults}, ${fault.name}`);
      world.churn(1 + world.random.int(5));
      // Mostly the next fault meets a recovery that is under way; one in five meets a stream that is well.
      await world.pass(world.random.chance(0.2) ? 60_000 : world.random.int(5_000));
      if (before !== undefined && expectation !== undefined && !(await hasGrown(world, before, expectation))) {
        unexplained.push(`${fault.name}: ${expectation.metric} ${expectation.labels.join(' ')} did not grow`);
      }
    }
    simulator.faults.clear();
    for (const key of world.dead) simulator.faults.reviveVantagePoint(key);
    await world.configure(PREFIXES);
    await until('the reload is taken', async () => (await world.exporter.reload()) === '', 20_000, world.exporter.log);
    onProgress(`seed ${seed}: waiting for the table to be complete`);
    await until(
      'the table is complete',
      async () => isComplete(await world.exporter.samples()),
      20_000,
      world.exporter.log,
    );
    await world.pass(2 * LAG_MS);
    const correctionsBefore = sum(await world.exporter.samples(), 'bgp_table_seed_corrections_total');
    await world.exporter.compare();
    const corrections = sum(await world.exporter.samples(), 'bgp_table_seed_corrections_total') - correctionsBefore;
    const ours = new Set(await world.exporter.routes());
    const truth = new Set(
      [...simulator.routes()].filter(isWatched).map((route) => `${route.vpKey} | ${route.prefix} | ${route.asPath}`),
    );
    const differences = [
      ...[...truth].filter((line) => !ours.has(line)).map((line) => `missing: ${line}`),
      ...[...ours].filter((line) => !truth.has(line)).map((line) => `wrong: ${line}`),
    ];
    await world.exporter.stop();
    return { seed, done, routes: truth.size, differences, unexplained, corrections, log: world.exporter.log };
  } finally {
    await world.end();
    await simulator.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function isWatched(route: { readonly prefix: string }): boolean {
  return ([...PREFIXES, ...MORE_SPECIFICS] as readonly string[]).includes(route.prefix);
}

function isComplete(samples: Samples): boolean {
  return sum(samples, 'bgp_table_seeded') === 1 && sum(samples, 'bgp_stream_up') === KEYS.length;
}

/** A stalled connection is noticed only when a ping stays unanswered. */
async function hasGrown(world: ChaosWorld, before: Samples, { metric, labels }: Expectation): Promise<boolean> {
  const start = sum(before, metric, ...labels);
  try {
    await until(
      'the counter grows',
      async () => sum(await world.exporter.samples(), metric, ...labels) > start,
      10_000,
    );
    return true;
  } catch {
    return false;
  }
}

async function until(
  what: string,
  check: () => Promise<boolean>,
  limitMs: number,
  log: readonly string[] = [],
): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await check())) {
    if (Date.now() > end)
      throw new Error(`waited ${limitMs / 1000} s in vain until ${what}\n${log.slice(-40).join('\n')}`);
    await wait(25);
  }
}
