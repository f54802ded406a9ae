/** Prefixes that come and go while the service is slow, or says no: no number may be wrong without saying so. */
import { expect, it } from 'vitest';
import { until } from '../support/patience.ts';
import { KEY, KEY_2, P4, P6, samples, seeded, tableRoutes, trueRoutes, type World, world } from './world.ts';

const OTHER = '198.51.100.0/24';
const ANOTHER = '203.0.113.0/24';
const list = (...prefixes: string[]) => `[${prefixes.map((prefix) => `{prefix: "${prefix}"}`).join(', ')}]`;

async function equalToTruth(w: World, ...prefixes: string[]): Promise<void> {
  await until(() => {
    expect(w.exporter.figures.seeded).toBe(true);
    expect(tableRoutes(w.exporter.table)).toEqual(trueRoutes(w.simulator, ...prefixes));
  });
}

it('a prefix that is associated only after the gap fill under way has ended is read from the RIB all the same', async () => {
  const w = await world({ lag: '20s' }, { dataApiLagMs: 0 });
  await w.start();
  await until(() => expect(w.exporter.ready().ok).toBe(true));
  // The first request of the reload waits for 15 s in vain; the next is made when the first fill has ended.
  w.simulator.faults.api('live_manager', 'timeout', 2);
  w.config.prefixes = list(P4, P6, OTHER);
  const reload = w.exporter.reload();
  await equalToTruth(w, P4, P6, OTHER);
  await reload;
  expect(trueRoutes(w.simulator, OTHER).length).toBeGreaterThan(10);
});

it('while the key does not carry a new prefix the table says that it is not complete, also after a reconnect', async () => {
  const w = await world();
  await w.start();
  await seeded(w);
  w.simulator.faults.api('live_manager', 503, 1_000);
  w.config.prefixes = list(P4, P6, OTHER);
  const reload = w.exporter.reload();
  await until(() => expect(w.exporter.figures.seeded).toBe(false));
  w.simulator.faults.cut();
  await until(async () =>
    expect((await samples(w.exporter)).get('bgp_stream_connects_total{source="bgproutes",session="0"}')).toBe(2),
  );
  await until(() => expect(w.exporter.figures.seeds.success).toBeGreaterThan(1));
  expect(w.exporter.figures.seeded).toBe(false);
  w.simulator.faults.clear();
  await reload;
  await equalToTruth(w, P4, P6, OTHER);
});

it('a second reload that only removes prefixes does not make those of the first be forgotten', async () => {
  const w = await world();
  await w.start();
  await seeded(w);
  w.simulator.faults.api('live_manager', 503, 1_000);
  w.config.prefixes = list(P4, P6, OTHER);
  await w.exporter.reload();
  expect(w.logger.lines.map((line) => line.message)).toContain(
    'the Live Manager API has not answered yet: the prefixes are associated when it does',
  );
  w.config.prefixes = list(P4, OTHER);
  const reload = w.exporter.reload();
  w.simulator.faults.clear();
  await reload;
  await equalToTruth(w, P4, OTHER);
});

it('a replacement that the service refuses leaves routes and counters of the earlier prefix as they were', async () => {
  const w = await world();
  await w.start();
  await seeded(w);
  const [vp] = w.simulator.vantagePoints().filter((one) => one.isLive);
  w.simulator.announce(vp.key, P4, { asPath: `${vp.asn} 64777 64500` });
  const announcements = `bgp_prefix_announcements_total{prefix="${P4}"}`;
  await until(async () => expect((await samples(w.exporter)).get(announcements)).toBe(1));
  w.simulator.faults.refuseAssociation(1, 'Not this one');
  w.config.prefixes = list(P6, OTHER);
  await expect(w.exporter.reload()).rejects.toThrow('Not this one');
  expect(tableRoutes(w.exporter.table)).toEqual(trueRoutes(w.simulator, P4, P6));
  expect(w.exporter.figures.seeded).toBe(true);
  const now = await samples(w.exporter);
  expect(now.get(announcements)).toBe(1);
  expect([...now.keys()].some((name) => name.includes(OTHER))).toBe(false);
  expect(now.get('bgp_exporter_config_last_reload_successful')).toBe(0);
});

it('when one of two keys refuses, the other gets its earlier prefixes back, and what it missed meanwhile', async () => {
  const w = await world({ keys: [KEY, KEY_2], bgproutes: 'prefixes_per_key: 1' });
  await w.start();
  await seeded(w);
  w.simulator.faults.refuseAssociation(1, 'Not this one');
  w.config.prefixes = list(OTHER, ANOTHER);
  await expect(w.exporter.reload()).rejects.toThrow('Not this one');
  for (const vp of w.simulator.vantagePoints().filter((one) => one.isLive)) w.simulator.withdraw(vp.key, P4);
  await equalToTruth(w, P4, P6);
  await until(() => expect(w.simulator.sessions()).toBe(2));
});

it('a refusal that comes late is told by the metric of reloads, and the next reload tries again', async () => {
  const w = await world();
  await w.start();
  await seeded(w);
  const successful = 'bgp_exporter_config_last_reload_successful';
  w.simulator.faults.api('live_manager', 503, 1_000);
  w.config.prefixes = list(P4, P6, OTHER);
  await w.exporter.reload();
  expect((await samples(w.exporter)).get(successful)).toBe(1);
  w.simulator.faults.clear();
  w.simulator.faults.refuseAssociation(1, 'Not this one');
  await until(async () => expect((await samples(w.exporter)).get(successful)).toBe(0));
  expect(w.exporter.figures.seeded).toBe(false);
  await w.exporter.reload();
  expect((await samples(w.exporter)).get(successful)).toBe(1);
  await equalToTruth(w, P4, P6, OTHER);
});

it('many reloads asked for at once are one that runs and one that waits, and the one that waits reads what was written last', async () => {
  const w = await world();
  await w.start();
  await seeded(w);
  const reloaded = () => w.logger.lines.filter(({ message }) => message === 'configuration reloaded').length;
  // Runs until the Live Manager API has answered.
  w.config.prefixes = list(P4, P6, OTHER);
  const first = w.exporter.reload();
  await Promise.resolve().then(() => Promise.resolve());
  const many = Array.from({ length: 500 }, () => w.exporter.reload());
  w.config.prefixes = list(P4, P6, ANOTHER);
  await Promise.all([first, ...many]);
  expect(reloaded()).toBe(2);
  await equalToTruth(w, P4, P6, ANOTHER);
});
