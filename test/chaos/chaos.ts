/**
 * Faults drawn from a seed while an exporter (a process of its own, two keys, snapshots on) follows a simulator over real
 * sockets. When all is well again and one comparison has passed, both tables must be equal, route by route.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { EMPTY_SCENARIO } from '../../src/simulator/scenario/scenario.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { PATIENCE_MS } from '../support/patience.ts';
import { type Samples, sum } from './exporter-handle.ts';
import { FAULTS, type Fault, type GrowingCounter, type RightState } from './faults.ts';
import { type Scale, scaledTimers } from './scaled-timers.ts';
import { type ChaosSource, ChaosWorld, KEYS, LAG_MS, MORE_SPECIFICS, PREFIXES, SOURCES } from './world.ts';

/**
 * How long a table may take to be complete once all is well, ms of real time. What is in doubt is settled within half an hour
 * of the scenario, which is a minute here; a table that takes far longer would stay incomplete for ever.
 */
const COMPLETE_MS = 150_000;

export interface ChaosOptions {
  readonly seed: number;
  readonly faults: number;
  /** Default: both. */
  readonly sources?: readonly ChaosSource[];
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
  /** Counters that do not explain a loss, and what is wrong with the expected VPs and with trust. */
  readonly unexplained: readonly string[];
  /** Routes that the comparison at the end still had to correct. */
  readonly corrections: number;
  readonly log: readonly string[];
}

export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { seed, faults, sources = SOURCES, factor = 30, onProgress = () => {} } = options;
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
  const world = new ChaosWorld({ seed, window: seed % 2 === 0 ? '3m' : '24h', sources }, simulator, scale, folder);
  const done: Record<string, number> = {};
  const unexplained: string[] = [];
  try {
    await world.configure(PREFIXES);
    await world.restart();
    const weights = FAULTS.filter(({ of }) => of === undefined || sources.includes(of)).flatMap((fault) =>
      new Array<Fault>(fault.weight).fill(fault),
    );
    for (let i = 0; i < faults; i++) {
      world.churn(1 + world.random.int(12));
      const fault = world.random.pick(weights);
      const before = await world.exporter.samples();
      world.before = before;
      // A body is written in turns, so the parts of one may be of two moments: what is wrong twice is wrong.
      if (world.oracle.contradictions(before).length > 0)
        unexplained.push(...world.oracle.contradictions(await world.exporter.samples()));
      const expectation = await fault.act(world);
      done[fault.name] = (done[fault.name] ?? 0) + 1;
      world.oracle.note();
      onProgress(`seed ${seed}: fault ${i + 1} of ${faults}, ${fault.name}`);
      world.churn(1 + world.random.int(5));
      // Mostly the next fault meets a recovery that is under way; one in five meets a stream that is well.
      await world.pass(world.random.chance(0.2) ? 60_000 : world.random.int(5_000));
      if (expectation === undefined) continue;
      const isFelt =
        'metric' in expectation ? () => hasGrown(world, before, expectation) : () => isPutRight(expectation);
      const what =
        'metric' in expectation ? `${expectation.metric} ${expectation.labels.join(' ')} grows` : expectation.what;
      if (!(await isFelt())) unexplained.push(`${fault.name}: waited in vain until ${what}`);
    }
    simulator.faults.clear();
    for (const key of world.dead) simulator.faults.reviveVantagePoint(key);
    world.oracle.note();
    await world.configure(PREFIXES);
    await until(
      'the reload is taken',
      async () => (await world.exporter.reload()) === '',
      PATIENCE_MS,
      world.exporter.log,
    );
    onProgress(`seed ${seed}: waiting for the lists of VPs to be read`);
    await until(
      'the lists of VPs are read',
      listsAreRead(world, await world.exporter.samples()),
      COMPLETE_MS,
      world.exporter.log,
    );
    onProgress(`seed ${seed}: waiting for the table to be complete`);
    await until(
      'the table is complete',
      async () => isComplete(await world.exporter.samples(), world),
      COMPLETE_MS,
      world.exporter.log,
    );
    await world.pass(2 * LAG_MS);
    const correctionsBefore = sum(await world.exporter.samples(), 'bgp_table_seed_corrections_total');
    await world.exporter.compare();
    const corrections = sum(await world.exporter.samples(), 'bgp_table_seed_corrections_total') - correctionsBefore;
    // Doubt about more-specifics alone leaves their prefix trusted: what is in doubt of them is settled meanwhile.
    const ofMoreSpecifics = (line: string) => MORE_SPECIFICS.some((prefix) => line.includes(` | ${prefix} | `));
    let differences = await differencesOf(world);
    const endMs = Date.now() + COMPLETE_MS;
    while (differences.length > 0 && differences.every(ofMoreSpecifics) && Date.now() < endMs) {
      await wait(250);
      differences = await differencesOf(world);
    }
    unexplained.push(...world.problems, ...world.oracle.faultsAtEnd(await world.exporter.samples()));
    await world.exporter.stop();
    return {
      seed,
      done,
      routes: trueRoutes(world).size,
      differences,
      unexplained,
      corrections,
      log: world.exporter.log,
    };
  } finally {
    await world.end();
    await simulator.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function trueRoutes(world: ChaosWorld): ReadonlySet<string> {
  const heard = [...world.simulator.routes()].filter((route) => isWatched(route) && world.hears(route.vpKey));
  return new Set(heard.map((route) => `${route.vpKey} | ${route.prefix} | ${route.asPath}`));
}

/** Routes that only one side has, marked by it. */
async function differencesOf(world: ChaosWorld): Promise<string[]> {
  const ours = new Set(await world.exporter.routes());
  const truth = trueRoutes(world);
  return [
    ...[...truth].filter((line) => !ours.has(line)).map((line) => `missing: ${line}`),
    ...[...ours].filter((line) => !truth.has(line)).map((line) => `wrong: ${line}`),
  ];
}

function isWatched(route: { readonly prefix: string }): boolean {
  return ([...PREFIXES, ...MORE_SPECIFICS] as readonly string[]).includes(route.prefix);
}

/**
 * Whether every source has been asked for its list of VPs since `before`, and has applied the answer: a comparison asks only for
 * the routes of VPs that the list calls live. The first answer may be of a question that was under way already, and the third
 * question comes only when the second answer was applied.
 */
function listsAreRead(world: ChaosWorld, before: Samples): () => Promise<boolean> {
  return async () => {
    const samples = await world.exporter.samples();
    return world.sources.every((source) => listsOf(samples, source) - listsOf(before, source) >= 3);
  };
}

function listsOf(samples: Samples, source: ChaosSource): number {
  return source === 'bgproutes'
    ? sum(samples, 'bgp_data_api_requests_total', 'endpoint="vantage_points"', 'result="success"')
    : sum(samples, 'bgp_ripestat_requests_total', 'call="rrc-info"', 'result="success"');
}

/** A prefix is trusted when one source is complete; here all are to be. */
function isComplete(samples: Samples, { sources, sessions }: ChaosWorld): boolean {
  return (
    sum(samples, 'bgp_table_seeded') === 1 &&
    sum(samples, 'bgp_stream_up') === sessions &&
    sum(samples, 'bgp_table_seeded_prefixes') === sources.length * PREFIXES.length
  );
}

function hasGrown(world: ChaosWorld, before: Samples, { metric, labels }: GrowingCounter): Promise<boolean> {
  const start = sum(before, metric, ...labels);
  return comes(async () => sum(await world.exporter.samples(), metric, ...labels) > start);
}

function isPutRight({ isRight }: RightState): Promise<boolean> {
  return comes(async () => isRight());
}

async function comes(check: () => Promise<boolean>): Promise<boolean> {
  try {
    await until('it comes', check, PATIENCE_MS);
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
