/** Exporters of a fleet that are too slow: one that gets a part of the processor, and one that is far behind. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { shownIn } from '../support/fleet-watch.ts';
import { FleetWorld, samplesOf } from '../support/fleet-world.ts';
import { KafkaBroker, kafkaPort } from '../support/kafka-broker.ts';

/** After so long without new events nothing of a partition is trusted, s: docs/fleet.md. */
const SILENCE_S = 10;
/** Long enough that no member loses its session, however busy the machine is. */
const SESSION_S = 120;
/** A message of more than a kilobyte: what a member has not read comes to more than it gets at a time. */
const LONG_PATH = Array<number>(200).fill(64_700).join(' ');
const CHANGES = 6_000;

const PREFIXES = [...Array.from({ length: 60 }, (_, i) => `10.0.${i}.0/24`), '10.0.0.0/22', '2001:db8::/32'];

const broker = new KafkaBroker(kafkaPort(2));
const world = new FleetWorld({
  ...{ prefixes: PREFIXES, members: ['slow', 'other'], partitions: 4, sessionTimeoutS: SESSION_S },
  connection: () => `brokers: ['${broker.address}']`,
});

beforeAll(async () => {
  await broker.start();
  await world.begin();
  await world.createTopics();
  await world.start('ingest', 'ingest');
  await world.startAll();
  await world.equal();
}, 300_000);

afterAll(async () => {
  await world.end();
  await broker.remove();
}, 60_000);

const timesAssigned = () => world.program('slow').stderr().split('partitions assigned').length;
const sumOf = (samples: ReadonlyMap<string, string>) =>
  [...samples.values()].reduce((sum, one) => sum + Number(one), 0);
const lagIn = (text = '') => sumOf(samplesOf(text, 'bgp_fleet_lag_records{'));
const trustedIn = (text = '') => sumOf(samplesOf(text, 'bgp_prefix_trusted{'));
const watermarkIn = (text = '') =>
  Math.min(...[...samplesOf(text, 'bgp_fleet_watermark_timestamp_seconds{').values()].map(Number));

/** Takes the processor away from the member for 300 ms of every 400, while the work is under way. */
async function withLittleTime<T>(work: () => Promise<T>): Promise<T> {
  const { child } = world.program('slow');
  const begin = setInterval(() => {
    child.kill('SIGSTOP');
    setTimeout(() => child.kill('SIGCONT'), 300);
  }, 400);
  try {
    return await work();
  } finally {
    clearInterval(begin);
    child.kill('SIGCONT');
  }
}

it('a member that gets a quarter of the time keeps its partitions, and shows in the end what one exporter shows', async () => {
  const before = [shownIn(await world.scrape('slow')), timesAssigned()];
  await withLittleTime(async () => {
    await world.watchStateWritten();
    await world.equal();
  });
  expect([shownIn(await world.scrape('slow')), timesAssigned()]).toEqual(before);
}, 300_000);

it('a member that is far behind says so by its lag, its prefixes are not trusted meanwhile, and it catches up', async () => {
  const shown = shownIn(await world.scrape('slow'));
  const own = [...shown];
  expect(own.length).toBeGreaterThan(0);
  world.freeze('slow');
  const beganAtS = watermarkIn(await world.scrape('other'));
  const vps = world.simulator.vantagePoints();
  let turn = 0;
  // Until the log is more than the silence, and some megabytes, ahead of the member.
  for (let atS = beganAtS; turn < CHANGES || atS < beganAtS + SILENCE_S + 2; ) {
    for (let i = 0; i < 200 && turn < CHANGES; i++) {
      const { key, asn } = vps[++turn % vps.length];
      const asPath = `${asn} ${64_600 + (turn % 9)} ${LONG_PATH} 64500`;
      world.simulator.announce(key, own[(turn * 7) % own.length], { asPath });
    }
    atS = watermarkIn(await world.scrape('other'));
  }
  const first = await world.thaw('slow');
  // It has its session still: the prefixes are shown, and said to be old.
  expect([shownIn(first), trustedIn(first)]).toEqual([shown, 0]);
  let mostLag = 0;
  await withLittleTime(async () => {
    for (;;) {
      const text = await world.scrape('slow');
      const lag = lagIn(text);
      mostLag = Math.max(mostLag, lag);
      if (lag === 0 && trustedIn(text) === shown.size) break;
    }
  });
  console.info(`a member that was ${SILENCE_S} s and ${CHANGES} changes behind had a lag of ${mostLag} records`);
  expect(mostLag).toBeGreaterThan(0);
  await world.equal();
}, 300_000);
