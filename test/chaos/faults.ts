/** What a chaos run does to the exporter. */
import { WebSocket } from 'ws';
import { type Samples, sum } from './exporter-handle.ts';
import { type ChaosSource, type ChaosWorld, KEYS, PREFIXES } from './world.ts';

const GARBAGE = ['invalid_json', 'truncated', 'binary', { text: '[1]' }, { text: '{"record_type":"update"}' }] as const;

/** A fault: does it, and says which counter must have grown when the exporter felt it. */
export interface Fault {
  readonly name: string;
  readonly weight: number;
  /** Only where the exporter has this source. */
  readonly of?: ChaosSource;
  act(world: ChaosWorld): Promise<Expectation | undefined>;
}

/** What shows that the exporter felt a fault: a counter that grows, or a state of the services that it puts right. */
export type Expectation = GrowingCounter | RightState;

/** The samples of the metric whose names hold these texts. */
export interface GrowingCounter {
  readonly metric: string;
  readonly labels: readonly string[];
}

export interface RightState {
  readonly what: string;
  readonly isRight: () => boolean;
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
  return hit > 0 && sessions.some((session) => isUp(before, 'bgproutes', session));
}

function isUp(samples: Samples, source: ChaosSource, session: number): boolean {
  return sum(samples, 'bgp_stream_up', `source="${source}"`, `session="${session}"`) === 1;
}

/** A fault of RIS Live or RIPEstat. A connection that it ends, or makes the exporter give up, is counted. */
function ofRis(name: string, weight: number, act: (world: ChaosWorld) => void, endsConnection = false): Fault {
  return {
    ...{ name, weight, of: 'ris-live' },
    async act(world) {
      act(world);
      const isCounted = endsConnection && isUp(world.before, 'ris-live', 0);
      return isCounted ? { ...DISCONNECTED, labels: ['source="ris-live"'] } : undefined;
    },
  };
}

/** By whatever reason: a connection that breaks twice at once ends by the first. Which reason is which is tested frame by frame. */
const DISCONNECTED: GrowingCounter = { metric: 'bgp_stream_disconnects_total', labels: [] };
const failures = (...labels: string[]): GrowingCounter => ({ metric: 'bgp_stream_decode_failures_total', labels });

export const FAULTS: readonly Fault[] = [
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
  ofRis('ris_cut', 4, ({ simulator }) => simulator.faults.risLive('cut'), true),
  ofRis('ris_behind', 2, ({ simulator }) => simulator.faults.risLive('behind'), true),
  ofRis('ripestat', 5, ({ simulator, random }) =>
    simulator.faults.api('ripestat', random.pick([429, 500, 'timeout', 'garbage', 'cut'] as const), 1 + random.int(6)),
  ),
  {
    name: 'ris_quiet',
    weight: 3,
    of: 'ris-live',
    // The connection stays, and nothing comes, or nothing about peers; RIPEstat may have lost its data too.
    async act(world) {
      const { simulator, random } = world;
      simulator.faults.risLive(random.pick(['silent', 'mute'] as const));
      if (random.chance(0.5)) simulator.faults.emptyRipestat();
      world.churn(5);
      await world.pass(random.pick([5_000, 120_000]));
      simulator.faults.risLive('speak');
      simulator.faults.emptyRipestat(false);
      return undefined;
    },
  },
  {
    name: 'source_down',
    weight: 4,
    // For a moment, or for longer than the other source waits to be the only one.
    async act(world) {
      const { simulator, random, sources } = world;
      const source = random.pick(sources);
      simulator.faults.sourceDown(source);
      const isDead = random.chance(0.3);
      if (isDead && source === 'bgproutes') simulator.faults.api('updates', 500, 12);
      if (isDead && source === 'ris-live') simulator.faults.emptyRipestat();
      world.churn(8);
      await world.pass(random.pick([3_000, 20_000, 90_000]));
      world.churn(3);
      simulator.faults.sourceUp(source);
      // The history answers later than the stream comes back.
      if (isDead) await world.pass(random.pick([10_000, 90_000]));
      simulator.faults.emptyRipestat(false);
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
    async act(world) {
      world.lose((vpKey) => world.simulator.faults.killVantagePoint(vpKey));
      return undefined;
    },
  },
  {
    name: 'vp_leaves',
    weight: 3,
    // Out of the list, and not only down in it.
    async act(world) {
      world.lose((vpKey) => world.simulator.faults.unlistVantagePoint(vpKey));
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
  {
    name: 'clock',
    weight: 4,
    // Forward or back, by seconds or by days; half of the time it is set right again while all else goes on.
    async act(world) {
      const { random, exporter } = world;
      const byMs = random.pick([10_000, 3_600_000, 172_800_000]) * (random.chance(0.5) ? 1 : -1);
      await exporter.setClock(byMs);
      world.churn(3);
      if (random.chance(0.5)) return { metric: 'bgp_table_clock_steps_total', labels: [] };
      await world.pass(random.int(8_000));
      await exporter.setClock(-byMs);
      return undefined;
    },
  },
  {
    name: 'restart_in_outage',
    weight: 2,
    // Without the snapshot: whom to expect is only in the history then.
    async act(world) {
      const holders = world.holders(PREFIXES[0]);
      for (const vp of holders.slice(0, Math.floor(holders.length * 0.6))) world.simulator.withdraw(vp, PREFIXES[0]);
      await world.pass(world.random.int(4_000));
      await world.exporter.kill();
      await world.forgetSnapshots();
      await world.restart();
      return undefined;
    },
  },
  {
    name: 'second_client',
    weight: 3,
    async act(world) {
      const key = world.random.pick(KEYS);
      const before = world.simulator.associatedPrefixes(key);
      await useKeyElsewhere(world, key);
      for (const vp of world.simulator
        .vantagePoints()
        .filter((one) => one.isLive && !world.dead.has(one.key))
        .slice(0, 5))
        world.simulator.announce(vp.key, FOREIGN, { asPath: `${vp.asn} 65000` });
      // The stream's foreign prefixes tell, or else the next renewal.
      const isRight = () => !world.simulator.associatedPrefixes(key).includes(FOREIGN);
      return isFelt(world, 1, key) && before.length > 0
        ? { what: 'the list of the key is its own again', isRight }
        : undefined;
    },
  },
  {
    name: 'long_outage',
    weight: 1,
    // Longer than the window, with one route that is left behind by mistake: it must not become all that is expected.
    async act(world) {
      if (world.window === '24h') return undefined;
      const [prefix] = PREFIXES;
      const [, ...lost] = world.holders(prefix);
      if (lost.length < 10) return undefined;
      for (const vp of lost) world.simulator.withdraw(vp, prefix);
      await world.pass(2 * 180_000);
      const samples = await world.exporter.samples();
      const of = (metric: string) => sum(samples, metric, `prefix="${prefix}"`);
      const [visible, expected] = [of('bgp_prefix_visible_vps'), of('bgp_prefix_expected_vps')];
      if (of('bgp_prefix_trusted') === 1 && visible <= 1 && expected < 5)
        world.problems.push(`long_outage: ${visible} of ${expected} after two windows`);
      for (const vp of lost) world.simulator.announce(vp, prefix, { asPath: '64999 64500' });
      return undefined;
    },
  },
];

/** A prefix that the exporter never asked for. */
const FOREIGN = '198.51.99.0/24';

/** Somebody else gives the key another list and tries to open a stream, which the service refuses. */
async function useKeyElsewhere({ simulator }: ChaosWorld, key: string): Promise<void> {
  const url = `${simulator.url}/update_live_prefixes?api_key=${key}&new_pfxs=${encodeURIComponent(FOREIGN)}`;
  await fetch(url).catch(() => {});
  const socket = new WebSocket(`${simulator.websocketUrl}/?api_key=${key}`);
  await new Promise<void>((resolve) => {
    socket.on('error', () => {});
    socket.on('message', () => socket.terminate());
    socket.on('close', () => resolve());
    // A service that accepts it is left again at once.
    socket.on('open', () => setTimeout(() => socket.terminate(), 100));
  });
}
