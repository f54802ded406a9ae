/** A fleet on a real broker: an ingest and three exporters show what one exporter shows, whatever ends or stands still. */
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { FleetWatch, shownIn } from '../support/fleet-watch.ts';
import { FleetWorld, ownedIn, SINGLE, WAIT } from '../support/fleet-world.ts';
import { KafkaBroker, kafkaPort } from '../support/kafka-broker.ts';

const SESSION_S = 6;
/** What the group, and a machine that does other work, may take beyond what is measured; less than a rebalance that waits for a member that is gone. */
const SLACK_S = 20;
const PARTITIONS = 12;

/** 2,000, of both families; some lie inside others, up to three deep. */
const PREFIXES = [
  ...Array.from({ length: 1_484 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`),
  ...['10.1.0.0/16', '10.3.0.0/16'],
  ...['10.1.16.0/20', '10.1.32.0/20', '10.3.64.0/20', '10.4.0.0/20'],
  ...Array.from({ length: 400 }, (_, i) => `2a10:${(i + 1).toString(16)}::/32`),
  '2001:db8::/32',
  ...Array.from({ length: 109 }, (_, i) => `2001:db8:${(i + 1).toString(16)}::/48`),
];

const broker = new KafkaBroker(kafkaPort(1));
const world = new FleetWorld({
  ...{ prefixes: PREFIXES, members: ['m1', 'm2', 'm3'], partitions: PARTITIONS, sessionTimeoutS: SESSION_S },
  connection: () => `brokers: ['${broker.address}']`,
});

beforeAll(async () => {
  await broker.start();
  await world.begin();
}, 300_000);

afterAll(async () => {
  await world.end();
  await broker.remove();
}, 60_000);

const owned = async (name: string) => ownedIn(await world.scrape(name));
const ownsAgain = (name: string) => (texts: ReadonlyMap<string, string>) => ownedIn(texts.get(name)) > 0;

describe.sequential('a fleet', () => {
  it('has its topics made and checked by a command', async () => {
    const file = world.configFile('command');
    const run = (action: string) => world.run('fleet', action, `--config.file=${file}`);
    expect(await run('check')).toMatchObject({ code: 1, text: expect.stringMatching(/bgp\.events is missing/) });
    expect(await run('create-topics')).toMatchObject({ code: 0, text: expect.stringMatching(/bgp\.state: made/) });
    await vi.waitFor(async () => expect(await run('check')).toMatchObject({ code: 0 }), WAIT);
    writeFileSync(file, `fleet: {brokers: ['${broker.address}'], partitions: 13}\nprefixes: [{prefix: 10.0.0.0/8}]\n`);
    expect(await run('check')).toMatchObject({ code: 1, text: expect.stringMatching(/has 12 partitions/) });
  }, 120_000);

  it('shows 2,000 prefixes as one exporter shows them, counters included', async () => {
    expect(new Set(PREFIXES).size).toBe(2_000);
    await world.start('ingest', 'ingest');
    await world.startAll();
    await world.equal();
    await world.watchStateWritten();
    await world.equal();
    for (const name of world.setup.members) expect((await fetch(`${world.url(name)}/-/ready`)).status).toBe(200);
  }, 300_000);

  it('hides the prefixes of a member that is killed for a session and a restore, and no longer', async () => {
    await world.stop('m1', 'SIGKILL');
    const { hiddenMs, slowestRoundMs } = await world.watch();
    const restoreS = await world.restoreS();
    console.info(
      `after kill -9 of a member its prefixes were hidden for ${(hiddenMs / 1_000).toFixed(1)} s: the session is ${SESSION_S} s, the restore took ${restoreS.toFixed(1)} s, a look at all members ${(slowestRoundMs / 1_000).toFixed(1)} s`,
    );
    expect(hiddenMs / 1_000).toBeLessThan(SESSION_S + restoreS + (2 * slowestRoundMs) / 1_000 + SLACK_S);
    await world.equal();
  }, 300_000);

  it('gives partitions to a member that comes back, and no prefix is shown by two meanwhile', async () => {
    await Promise.all([world.start('m1'), world.watch(ownsAgain('m1'))]);
    await world.equal();
  }, 300_000);

  it('moves nothing when a member restarts within its session', async () => {
    const before = await owned('m2');
    await world.stop('m2', 'SIGTERM');
    await world.start('m2');
    await world.watch();
    expect(await owned('m2')).toBe(before);
    await world.equal();
  }, 300_000);

  it('hides the prefixes of a member that stood still for longer than its session, from its first answer on', async () => {
    world.freeze('m3');
    await world.watch();
    const looks = new FleetWatch(['m1', 'm2'], (name) => world.scrape(name));
    const before = await looks.round();
    const first = shownIn(await world.thaw('m3'));
    expect(before).toBe(PREFIXES.length);
    // Both had all prefixes before and after the answer.
    looks.look('m3', first);
    await looks.round();
    expect([...looks.twice]).toEqual([]);
    await world.watch(ownsAgain('m3'));
    await world.equal();
  }, 300_000);

  it('hides all while the broker is away for longer than the session, and shows the same when it is back', async () => {
    const ingest = world.program('ingest');
    await broker.kill();
    const beganAt = performance.now();
    await vi.waitFor(async () => expect(await world.hidden()).toBe(PREFIXES.length), WAIT);
    console.info(`without a broker all was hidden after ${((performance.now() - beganAt) / 1_000).toFixed(1)} s`);
    // It cannot know whether another one writes by now.
    expect(await ingest.exit).toBe(1);
    await broker.start();
    await world.start('ingest', 'ingest');
    await world.equal();
    await world.watchStateWritten();
    await world.equal();
  }, 300_000);

  it('has one ingest that writes: a second one waits, and takes over when the first is killed', async () => {
    const second = await world.start('ingest2', 'ingest');
    await second.seen(/another ingest of this fleet writes/);
    await world.watchStateWritten();
    await world.equal();
    await world.stop('ingest', 'SIGKILL');
    await second.seen(/this ingest writes from now on/);
    const trusted = async () =>
      [...(await world.union())].filter(([series]) => series.startsWith('bgp_prefix_trusted{'));
    await vi.waitFor(async () => {
      const values = (await trusted()).map(([, value]) => value);
      expect(values.length).toBe(PREFIXES.length);
      expect(values.filter((value) => value !== '1')).toEqual([]);
    }, WAIT);
    // What was said while nobody listened is told by the history: routes agree again, and no counter has moved for it.
    const routes = (all: ReadonlyMap<string, string>) =>
      [...all].filter(([series]) => /^bgp_prefix_(visible|origin)_vps/.test(series)).sort();
    world.churn(200);
    await vi.waitFor(
      async () => expect(routes(await world.union())).toEqual(routes(await world.samples(SINGLE, 'bgp_prefix_'))),
      WAIT,
    );
  }, 300_000);
});
