/** A reload that brings other sources or keys: the table of what stays is kept, and nothing looks like an outage. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { until } from '../support/patience.ts';
import { KEY, KEY_2, P4, P6, samples, seeded, tableRoutes, trueRoutes, type World, world } from './world.ts';

const visible = (prefix: string) => `bgp_prefix_visible_vps{prefix="${prefix}"}`;
const expected = (prefix: string) => `bgp_prefix_expected_vps{prefix="${prefix}"}`;
const trusted = (prefix: string) => `bgp_prefix_trusted{prefix="${prefix}"}`;
const losses = (prefix: string, reason: string) => `bgp_prefix_vp_losses_total{prefix="${prefix}",reason="${reason}"}`;
const bySource = (prefix: string, source: string) => `bgp_prefix_source_vps{prefix="${prefix}",source="${source}"}`;

const SCRAPE_PAUSE_MS = 25;

/** Sections that make these the sources, all served by the simulator. */
function sources({ simulator }: World, ...names: string[]): string {
  const { websocketUrl, url } = simulator;
  return `sources: [${names}]\nris_live: {url: "${websocketUrl}/v1/ws/", ripestat_url: "${url}", client: test}`;
}

/** The truth as far as RIS hears it. */
function risRoutes({ simulator }: World): string[] {
  const peers = simulator.vantagePoints().filter(({ source, protocol }) => source === 'ris' && protocol === 'bgp');
  const keys = new Set(peers.map(({ key }) => key));
  return trueRoutes(simulator, P4, P6).filter((line) => keys.has(line.split(' | ')[0]));
}

/** Reads the exporter until the work is over, and gives what no scrape may show: an outage of a prefix that is trusted. */
async function outagesDuring(w: World, work: Promise<unknown>): Promise<string[]> {
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  over.catch(() => {}); // told by the last line
  const outages: string[] = [];
  while (!isOver) {
    // One scrape right after the other would leave the exporter, which shares the process, hardly a turn.
    await pause(SCRAPE_PAUSE_MS);
    const now = await samples(w.exporter);
    for (const prefix of [P4, P6]) {
      const [seen = 0, ought = 0] = [now.get(visible(prefix)), now.get(expected(prefix))];
      if (now.get(trusted(prefix)) === 1 && seen < 0.9 * ought) outages.push(`${prefix}: ${seen} of ${ought}`);
    }
  }
  await over;
  return outages;
}

it('a source that comes is read beside the one that stays; one that goes takes along what nobody else delivers', async () => {
  const w = await world();
  w.config.more = sources(w, 'bgproutes');
  await w.start();
  await seeded(w);
  const [vp] = w.simulator.vantagePoints().filter((one) => one.isLive && one.source !== 'ris');
  w.simulator.announce(vp.key, P4, { asPath: `${vp.asn} 64777 64500` });
  const announcements = `bgp_prefix_announcements_total{prefix="${P4}"}`;
  await until(async () => expect((await samples(w.exporter)).get(announcements)).toBe(1));
  const all = trueRoutes(w.simulator, P4, P6);
  const ris = risRoutes(w);
  expect(ris.length).toBeGreaterThan(10);
  expect(ris.length).toBeLessThan(all.length);

  w.config.more = sources(w, 'ris-live', 'bgproutes');
  const add = w.exporter.reload().then(async () => {
    expect(w.exporter.table.routes).toBe(all.length);
    await seeded(w);
    await until(async () => {
      const now = await samples(w.exporter);
      expect(now.get('bgp_stream_up{source="ris-live",session="0"}')).toBe(1);
      expect(now.get('bgp_stream_up{source="bgproutes",session="0"}')).toBe(1);
      expect(now.get(bySource(P4, 'ris-live'))).toBeGreaterThan(0);
      expect(now.get(bySource(P4, 'bgproutes'))).toBeGreaterThan(0);
    });
  });
  expect(await outagesDuring(w, add)).toEqual([]);
  expect(tableRoutes(w.exporter.table)).toEqual(trueRoutes(w.simulator, P4, P6));
  expect((await samples(w.exporter)).get(announcements)).toBe(1);

  // On a slow machine the minute for which routes are kept may have passed while the streams began again.
  const before = await samples(w.exporter);
  w.config.more = sources(w, 'ris-live');
  const remove = w.exporter.reload().then(() => seeded(w));
  expect(await outagesDuring(w, remove)).toEqual([]);
  expect(tableRoutes(w.exporter.table)).toEqual(risRoutes(w));
  const now = await samples(w.exporter);
  const left = (prefix: string) => ris.filter((line) => line.includes(` | ${prefix} | `)).length;
  const gone = (prefix: string) => all.filter((line) => line.includes(` | ${prefix} | `)).length - left(prefix);
  for (const prefix of [P4, P6]) {
    expect([now.get(visible(prefix)), now.get(expected(prefix))]).toEqual([left(prefix), left(prefix)]);
    const [was = 0, is = 0] = [before, now].map((all) => all.get(losses(prefix, 'source_down')));
    expect(is - was).toBe(gone(prefix));
    expect(now.get(losses(prefix, 'withdrawn'))).toBe(0);
  }
  expect([...now.keys()].some((name) => name.includes('source="bgproutes"'))).toBe(false);
  expect(w.simulator.sessions()).toBe(0);

  w.simulator.announce(vp.key, P4, { asPath: `${vp.asn} 64888 64500` });
  const [peer] = w.simulator.vantagePoints().filter(({ source, protocol }) => source === 'ris' && protocol === 'bgp');
  w.simulator.announce(peer.key, P4, { asPath: `${peer.asn} 64779 64500` });
  await until(() => expect(tableRoutes(w.exporter.table)).toEqual(risRoutes(w)));
});

it('a source that is exchanged for another leaves nothing behind, and is no outage', async () => {
  const w = await world();
  w.config.more = sources(w, 'bgproutes');
  await w.start();
  await seeded(w);
  w.config.more = sources(w, 'ris-live');
  const change = w.exporter.reload().then(() => seeded(w));
  expect(await outagesDuring(w, change)).toEqual([]);
  expect(tableRoutes(w.exporter.table)).toEqual(risRoutes(w));
  expect((await samples(w.exporter)).get(losses(P4, 'withdrawn'))).toBe(0);
});

it('a key that comes carries the prefixes that had no room; the table of the others stays', async () => {
  const w = await world({ bgproutes: 'prefixes_per_key: 1', prefixes: `[{prefix: ${P4}}]` });
  await w.start();
  await seeded(w);
  w.config.prefixes = `[{prefix: ${P4}}, {prefix: "${P6}"}]`;
  await expect(w.exporter.reload()).rejects.toThrow('2 prefixes need 2 keys');
  expect(w.simulator.sessions()).toBe(1);
  w.config.keys = [KEY, KEY_2];
  await w.exporter.reload();
  expect(tableRoutes(w.exporter.table)).toEqual(trueRoutes(w.simulator, P4));
  await seeded(w);
  await until(() => expect(w.simulator.sessions()).toBe(2));
  expect(tableRoutes(w.exporter.table)).toEqual(trueRoutes(w.simulator, P4, P6));
});

it('a key that was rotated is taken by a reload: its session connects with it, the other one stays as it is', async () => {
  const w = await world(
    { keys: [KEY, KEY_2], bgproutes: 'prefixes_per_key: 1' },
    { apiKeys: [KEY, KEY_2, 'rotated-key-0'] },
  );
  await w.start();
  await seeded(w);
  w.config.keys = ['rotated-key-0', KEY_2];
  await w.exporter.reload();
  await until(async () => {
    const now = await samples(w.exporter);
    expect(now.get('bgp_stream_connects_total{source="bgproutes",session="0"}')).toBe(2);
    expect(now.get('bgp_stream_up{source="bgproutes",session="0"}')).toBe(1);
  });
  await seeded(w);
  expect(w.simulator.associatedPrefixes('rotated-key-0')).toEqual([P4]);
  expect((await samples(w.exporter)).get('bgp_stream_connects_total{source="bgproutes",session="1"}')).toBe(1);
  expect(tableRoutes(w.exporter.table)).toEqual(trueRoutes(w.simulator, P4, P6));
});

it('a key that the service refuses is read again: one that was replaced meanwhile is taken at once', async () => {
  const w = await world({ keys: ['revoked-key-0'] });
  await w.start();
  const refused = () =>
    w.logger.lines.filter(({ fields }) => String(fields.hint).includes('does not accept the API key'));
  await until(() => expect(refused().length).toBeGreaterThan(0));
  w.config.keys = [KEY];
  await seeded(w);
  expect(w.logger.lines.map(({ message }) => message)).toContain(
    'the API key was replaced: connecting with the new one',
  );
  expect(tableRoutes(w.exporter.table)).toEqual(trueRoutes(w.simulator, P4, P6));
});
