/** Ordinary mishaps in which an outage must neither resolve itself nor be made up. */
import { expect, it } from 'vitest';
import { until } from '../support/patience.ts';
import { P4, P6, samples, seeded, type World, world } from './world.ts';

/** What is said of P4. */
async function said({ exporter }: World) {
  const now = await samples(exporter);
  const of = (name: string) => now.get(`bgp_prefix_${name}{prefix="${P4}"}`);
  return {
    visible: of('visible_vps'),
    expected: of('expected_vps'),
    ratio: of('visibility_ratio'),
    known: of('expected_known'),
    trusted: of('trusted'),
  };
}

/** The VPs that hold P4, by key. */
const holders = ({ simulator }: World) =>
  [...simulator.routes()].filter(({ prefix }) => prefix === P4).map(({ vpKey }) => vpKey);

it('a restart without a snapshot in a partial outage goes on with the ratio that was there before', async () => {
  const w = await world();
  await w.start();
  await seeded(w);
  const all = holders(w);
  const gone = all.slice(0, Math.ceil(all.length * 0.6));
  for (const vp of gone) w.simulator.withdraw(vp, P4);
  const left = all.length - gone.length;
  const before = { visible: left, expected: all.length, ratio: left / all.length, known: 1 };
  await until(async () => expect(await said(w)).toEqual({ ...before, trusted: 1 }));
  await w.exporter.stop();
  await w.start();
  await until(async () => expect(await said(w)).toEqual({ ...before, trusted: 1 }));
  // More than half were missing: nothing was believed before the updates told the same as the RIB.
  expect((await samples(w.exporter)).get('bgp_table_doubted_answers_total{endpoint="rib"}')).toBe(1);
});

it('a prefix that is taken out and put back by a reload in an outage is expected by those that lost it', async () => {
  const w = await world();
  const { prefixes } = w.config;
  await w.start();
  await seeded(w);
  const all = holders(w);
  for (const vp of all.slice(0, 4)) w.simulator.withdraw(vp, P4);
  const before = { visible: all.length - 4, expected: all.length, known: 1, trusted: 1 };
  await until(async () => expect(await said(w)).toMatchObject(before));
  w.config.prefixes = `[{prefix: "${P6}"}]`;
  await w.exporter.reload();
  expect((await said(w)).visible).toBeUndefined();
  w.config.prefixes = prefixes;
  await w.exporter.reload();
  await until(async () => expect(await said(w)).toMatchObject(before));
});

it('a prefix that a reload adds does not make those of other sessions untrusted', async () => {
  const w = await world({ keys: ['end-to-end-key-0', 'end-to-end-key-1'], bgproutes: 'prefixes_per_key: 1' });
  const { prefixes } = w.config;
  w.config.prefixes = `[{prefix: ${P4}}]`;
  await w.start();
  await seeded(w);
  w.simulator.faults.api('rib', 503, 1);
  w.config.prefixes = prefixes;
  await w.exporter.reload();
  const now = await samples(w.exporter);
  expect(now.get(`bgp_prefix_trusted{prefix="${P4}"}`)).toBe(1);
  expect(now.get(`bgp_prefix_trusted{prefix="${P6}"}`)).toBe(0);
  expect(now.get('bgp_table_seeded')).toBe(0);
  await seeded(w);
  expect((await samples(w.exporter)).get(`bgp_prefix_trusted{prefix="${P6}"}`)).toBe(1);
});

it('a prefix that a reload adds to a session makes the others untrusted until the gap of its new connection is filled', async () => {
  const w = await world({ lag: '20s' });
  const { prefixes } = w.config;
  w.config.prefixes = `[{prefix: ${P4}}]`;
  await w.start();
  await seeded(w);
  w.config.prefixes = prefixes;
  await w.exporter.reload();
  const trusted = async () => {
    const now = await samples(w.exporter);
    return [P4, P6].map((prefix) => now.get(`bgp_prefix_trusted{prefix="${prefix}"}`));
  };
  expect(await trusted()).toEqual([0, 0]);
  await until(async () => expect(await trusted()).toEqual([1, 1]));
});

it('a session that is cut makes its own prefixes untrusted and no others', async () => {
  const w = await world({ keys: ['end-to-end-key-0', 'end-to-end-key-1'], bgproutes: 'prefixes_per_key: 1' });
  await w.start();
  await seeded(w);
  w.simulator.faults.rejectHandshakes(1_000, 503);
  w.simulator.faults.cut('end-to-end-key-0');
  await until(async () => expect((await said(w)).trusted).toBe(0));
  const now = await samples(w.exporter);
  expect(now.get(`bgp_prefix_trusted{prefix="${P6}"}`)).toBe(1);
  expect(now.get(`bgp_prefix_session_info{prefix="${P4}",source="bgproutes",session="0"}`)).toBe(1);
  expect(now.get(`bgp_prefix_session_info{prefix="${P6}",source="bgproutes",session="1"}`)).toBe(1);
});
