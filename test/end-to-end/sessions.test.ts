/** Many keys, silence, reload and stop. */
import { expect, it } from 'vitest';
import { until } from '../support/patience.ts';
import { KEY, KEY_2, P4, P6, samples, seeded, tableRoutes, trueRoutes, world } from './world.ts';

const up = (session: number) => `bgp_stream_up{source="bgproutes",session="${session}"}`;
const OTHER = '198.51.100.0/24';

it('each key has a session of its own, and one that fails takes nothing from the other', async () => {
  const w = await world({ keys: [KEY, 'not-a-valid-key'], bgproutes: 'prefixes_per_key: 1' });
  await w.start();
  await until(async () => expect((await samples(w.exporter)).get(up(0))).toBe(1));
  await until(async () => expect(tableRoutes(w.exporter.table)).toEqual(trueRoutes(w.simulator, P4)));
  const now = await samples(w.exporter);
  expect(now.get(up(1))).toBe(0);
  // The series of the prefix that nobody reads stay, and the table says that it is not complete.
  expect(now.get(`bgp_prefix_visible_vps{prefix="${P6}"}`)).toBe(0);
  expect(now.get(`bgp_prefix_announcements_total{prefix="${P6}"}`)).toBe(0);
  expect(now.get('bgp_table_seeded')).toBe(0);
  expect(w.exporter.ready().ok).toBe(false);
  expect(now.get('bgp_stream_subscribed_prefixes{source="bgproutes",session="0"}')).toBe(1);
});

it('prefixes of one session inside a prefix of another are counted once', async () => {
  const inner = '192.23.62.0/25';
  const w = await world({
    keys: [KEY, KEY_2],
    prefixes: `[{prefix: ${P4}}, {prefix: ${inner}}]`,
    bgproutes: 'prefixes_per_key: 1',
  });
  await w.start();
  await seeded(w);
  const [vp] = w.simulator.vantagePoints().filter((one) => one.isLive);
  w.simulator.announce(vp.key, inner, { asPath: `${vp.asn} 64777 64500` });
  await until(async () =>
    expect((await samples(w.exporter)).get(`bgp_prefix_announcements_total{prefix="${inner}"}`)).toBe(1),
  );
  await until(async () => {
    const now = await samples(w.exporter);
    expect(now.get('bgp_stream_dropped_events_total{source="bgproutes",session="0",reason="other_session"}')).toBe(1);
  });
  expect((await samples(w.exporter)).get(`bgp_prefix_more_specifics{prefix="${P4}"}`)).toBe(0);
});

it('an event of the canary is a sign of life, and the canary has no series', async () => {
  const canary = '84.205.64.0/24';
  const w = await world({ bgproutes: `canary_prefix: ${canary}` });
  await w.start();
  await seeded(w);
  const series = 'bgp_stream_canary_timestamp_seconds{source="bgproutes",session="0"}';
  expect((await samples(w.exporter)).has(series)).toBe(false);
  const [vp] = w.simulator.vantagePoints().filter((one) => one.isLive);
  w.simulator.announce(vp.key, canary, { asPath: `${vp.asn} 12654` });
  await until(async () => expect((await samples(w.exporter)).get(series)).toBeGreaterThan(0));
  const first = (await samples(w.exporter)).get(series) ?? 0;
  await until(() => expect(w.timers.now() / 1000).toBeGreaterThan(first));
  w.simulator.withdraw(vp.key, canary);
  await until(async () => expect((await samples(w.exporter)).get(series)).toBeGreaterThan(first));
  expect([...(await samples(w.exporter)).keys()].filter((name) => name.includes(canary))).toEqual([]);
});

it('when the association cannot be renewed, the exporter is not ready; once it may have expired, the stream is not up', async () => {
  // Four hours of the common clock in some seconds.
  const w = await world({}, { associationTtlMs: 4 * 3_600_000 }, 4_000);
  await w.start();
  await seeded(w);
  await until(() => expect(w.exporter.ready()).toEqual({ ok: true }));
  w.simulator.faults.refuseAssociation(1_000_000, 'maintenance', 503);
  await until(async () => {
    const ready = w.exporter.ready();
    expect(ready.ok ? '' : ready.reason).toMatch(/renew/);
    expect((await samples(w.exporter)).get(up(0))).toBe(1);
  });
  await until(async () => {
    const now = await samples(w.exporter);
    expect(now.get(up(0))).toBe(0);
    expect(now.get('bgp_stream_subscribed_prefixes{source="bgproutes",session="0"}')).toBe(0);
    expect(now.get('bgp_table_seeded')).toBe(0);
  });
  w.simulator.faults.clear();
  await seeded(w);
  await until(() => expect(w.exporter.ready()).toEqual({ ok: true }));
});

it('a reload adds and removes prefixes, connects once more for those that come, and those that stay keep what they have', async () => {
  const w = await world();
  await w.start();
  await seeded(w);
  await until(async () => expect((await samples(w.exporter)).get(up(0))).toBe(1));
  const before = await samples(w.exporter);
  const kept = tableRoutes(w.exporter.table).filter((line) => line.includes(P6));
  w.config.prefixes = `[{prefix: "${P6}", description: renamed}, {prefix: ${OTHER}}]`;
  await w.exporter.reload();
  expect(tableRoutes(w.exporter.table).filter((line) => line.includes(P6))).toEqual(kept);
  await seeded(w);
  await until(() => expect(tableRoutes(w.exporter.table)).toEqual(trueRoutes(w.simulator, P6, OTHER)));
  const connects = 'bgp_stream_connects_total{source="bgproutes",session="0"}';
  await until(async () => expect((await samples(w.exporter)).get(connects)).toBe((before.get(connects) ?? 0) + 1));
  const now = await samples(w.exporter);
  expect(now.get(`bgp_prefix_info{prefix="${P6}",afi="ipv6",description="renamed",group=""}`)).toBe(1);
  expect([...now.keys()].some((name) => name.includes(P4))).toBe(false);
  expect(now.get('bgp_exporter_config_last_reload_successful')).toBe(1);
  const [vp] = w.simulator.vantagePoints().filter((one) => one.isLive);
  w.simulator.announce(vp.key, OTHER, { asPath: `${vp.asn} 64777 64500` });
  await until(async () =>
    expect((await samples(w.exporter)).get(`bgp_prefix_announcements_total{prefix="${OTHER}"}`)).toBe(1),
  );
});

it('a wrong file changes nothing, and says so', async () => {
  const w = await world();
  await w.start();
  await seeded(w);
  const before = tableRoutes(w.exporter.table);
  w.config.prefixes = '[{prefix: 192.23.62.1/24}]';
  await expect(w.exporter.reload()).rejects.toThrow('192.23.62.0/24');
  expect(tableRoutes(w.exporter.table)).toEqual(before);
  expect((await samples(w.exporter)).get('bgp_exporter_config_last_reload_successful')).toBe(0);
  w.config.prefixes = `[{prefix: ${P4}}, {prefix: "${P6}"}]`;
  await w.exporter.reload();
  expect((await samples(w.exporter)).get('bgp_exporter_config_last_reload_successful')).toBe(1);
});

it('prefixes that the service refuses leave the earlier ones in force', async () => {
  const w = await world();
  await w.start();
  await seeded(w);
  const before = tableRoutes(w.exporter.table);
  w.simulator.faults.refuseAssociation(1, 'Too many prefixes');
  w.config.prefixes = `[{prefix: ${P4}}, {prefix: "${P6}"}, {prefix: ${OTHER}}]`;
  await expect(w.exporter.reload()).rejects.toThrow('Too many prefixes');
  expect((await samples(w.exporter)).get('bgp_exporter_config_last_reload_successful')).toBe(0);
  expect(tableRoutes(w.exporter.table)).toEqual(before);
});

it('POST /-/reload reads the file again', async () => {
  const w = await world();
  await w.start();
  await seeded(w);
  w.config.prefixes = `[{prefix: ${P4}}]`;
  const answer = await fetch(`http://${w.exporter.address}/-/reload`, { method: 'POST' });
  expect(answer.status).toBe(200);
  expect([...(await samples(w.exporter)).keys()].some((name) => name.includes(P6))).toBe(false);
});

it('a stop ends the stream and the server', async () => {
  const w = await world();
  await w.start();
  await seeded(w);
  const { address } = w.exporter;
  await w.exporter.stop();
  expect(w.simulator.sessions()).toBe(0);
  await expect(fetch(`http://${address}/-/healthy`)).rejects.toThrow();
});

it('a reload that changes what needs a restart is refused as a whole, with the names of the settings', async () => {
  const w = await world();
  await w.start();
  w.config.more = 'storage: {path: /nowhere}';
  w.config.table = 'max_vps: 500';
  w.config.keys = [KEY, KEY_2];
  w.config.lag = '30s';
  w.config.prefixes = `[{prefix: ${OTHER}}]`;
  await expect(w.exporter.reload()).rejects.toThrow(
    [
      'table.max_vps: a change takes effect only at a restart: the memory of the table has its size from the start',
      'storage.path: a change takes effect only at a restart: a table that lives cannot continue from another snapshot',
    ].join('\n'),
  );
  expect([...w.exporter.table.prefixes.monitored()].map((one) => one.state.prefix.text)).toEqual([P4, P6]);
});
