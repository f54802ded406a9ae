/** Verdicts of a whole exporter: a file of VRPs, the routes of the simulator, a scrape. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { prefixOf } from '../rpki/vrp-world.ts';
import { until } from '../support/patience.ts';
import { P4, P6, samples, seeded, temporaryFolder, type World, world } from './world.ts';

const OTHER = '198.51.100.0/24';

it('every prefix is judged by the file, also one that a reload adds, and until the data is too old', async () => {
  const file = join(temporaryFolder(), 'vrps.json');
  const more = `rpki: {max_age: 10m, sources: [{file: ${file}, interval: 10s}]}\npaths:\n`;
  const w = await world({ more });
  const write = (vrps: readonly { prefix: string; asn: number }[], ageS = 0) =>
    writeFileSync(
      file,
      JSON.stringify({ metadata: { generated: Math.floor(w.machine.now() / 1_000) - ageS }, roas: vrps }),
    );
  await w.start();
  await seeded(w);
  const table = w.exporter.table;
  const visible = (prefix: string) => table.prefixes.find(prefix)?.visible;
  const [[origin]] = [...(table.prefixes.find(P4)?.monitored?.origins.entries() ?? [])];
  // No file yet: no verdict, and the source says why.
  await until(async () =>
    expect(
      (await samples(w.exporter)).get('bgp_rpki_updates_total{rpki_source="0",result="unavailable"}'),
    ).toBeGreaterThan(0),
  );
  expect([...(await samples(w.exporter)).keys()].filter((name) => name.startsWith('bgp_prefix_rpki_vps'))).toEqual([]);
  expect((await samples(w.exporter)).get(`bgp_prefix_path_anomaly_vps{prefix="${P4}",anomaly="loop"}`)).toBe(0);

  write([
    { prefix: P4, asn: origin },
    { prefix: OTHER, asn: 1 },
  ]);
  await until(async () => {
    const now = await samples(w.exporter);
    expect(now.get('bgp_rpki_usable')).toBe(1);
    expect(now.get(`bgp_prefix_rpki_vps{prefix="${P4}",validity="valid"}`)).toBe(visible(P4));
    expect(now.get(`bgp_prefix_rpki_vps{prefix="${P6}",validity="not_found"}`)).toBe(visible(P6));
    expect(now.get('bgp_rpki_vrps{rpki_source="0",ta="unknown"}')).toBe(2);
  });

  w.config.prefixes = `[{prefix: ${P4}}, {prefix: "${P6}"}, {prefix: ${OTHER}}]`;
  await w.exporter.reload();
  await until(async () => {
    const now = await samples(w.exporter);
    expect(visible(OTHER)).toBeGreaterThan(10);
    expect(now.get(`bgp_prefix_rpki_vps{prefix="${OTHER}",validity="invalid_as"}`)).toBe(visible(OTHER));
  });

  // A validator that is stuck writes what it found eleven minutes ago: no number is left that rests on it.
  write([{ prefix: P4, asn: origin }], 660);
  await until(async () => {
    const now = await samples(w.exporter);
    expect(now.get('bgp_rpki_usable')).toBe(0);
    expect([...now.keys()].filter((name) => name.startsWith('bgp_prefix_rpki_vps'))).toEqual([]);
    expect(now.get('bgp_rpki_up{rpki_source="0"}')).toBe(1);
  });
});

it('the validator of the simulator fits its Internet: what is announced is valid, a hijack and a part of it are not', async () => {
  const w = await world({ prefixes: `[{prefix: ${P4}}, {prefix: "${P6}"}]` });
  w.config.more = `rpki: {sources: [{url: "${w.simulator.url}/rpki.json", interval: 10s}]}\n`;
  await w.start();
  await seeded(w);
  const vps = async (name: string, labels: string) =>
    (await samples(w.exporter)).get(`${name}{prefix="${P4}",${labels}}`);
  const visible = () => w.exporter.table.prefixes.find(P4)?.visible;
  const [origin = 0] = [...(w.exporter.table.prefixes.find(P4)?.monitored?.origins.keys() ?? [])];
  const prefix = w.exporter.table.prefixes.find(P4)?.prefix;
  if (prefix === undefined) throw new Error('no prefix');
  await until(async () => {
    expect(await vps('bgp_prefix_rpki_vps', 'validity="valid"')).toBe(visible());
    expect(await vps('bgp_prefix_aspa_vps', 'verdict="invalid"')).toBe(0);
    expect(await vps('bgp_prefix_aspa_vps', 'verdict="valid"')).toBeGreaterThan(0);
  });
  // Asked again the validator has nothing new.
  await until(async () =>
    expect(
      (await samples(w.exporter)).get('bgp_rpki_updates_total{rpki_source="0",result="unchanged"}'),
    ).toBeGreaterThan(0),
  );
  w.simulator.step({ do: 'hijack', prefix: P4, by: 64_666 });
  w.simulator.step({ do: 'subprefix_hijack', prefix: P4, more_specific: '192.23.62.128/25', by: 64_667 });
  await until(async () => {
    expect(await vps('bgp_prefix_rpki_vps', 'validity="invalid_as"')).toBeGreaterThan(0);
    expect(await vps('bgp_prefix_more_specific_rpki_vps', 'validity="invalid_as"')).toBeGreaterThan(0);
  });
  expect(w.exporter.validity(prefix, 64_666)).toBe('invalid_as');
  expect(w.exporter.validity(prefix, w.exporter.table.paths.asOrSet(origin))).toBe('valid');
  expect(w.exporter.validity(prefixOf('192.23.62.128/25'), 64_667)).toBeUndefined();
  expect(w.exporter.validity(prefixOf('192.23.62.128/25'), 64_667, prefix)).toBe('invalid_as');
});

function sourceOf({ simulator }: World, kind: 'json' | 'rtr'): string {
  return kind === 'rtr'
    ? `{url: "rtr://127.0.0.1:${simulator.rtrPort}"}`
    : `{url: "${simulator.url}/rpki.json", interval: 10s}`;
}

it.each(['json', 'rtr'] as const)('ROAs that come and go in the simulator change verdicts, by %s', async (kind) => {
  const w = await world({}, { rtrListen: '127.0.0.1:0' });
  w.config.more = `rpki: {sources: [${sourceOf(w, kind)}]}\n`;
  await w.start();
  await seeded(w);
  const visible = () => w.exporter.table.prefixes.find(P4)?.visible;
  const allAre = (validity: string) =>
    until(async () =>
      expect((await samples(w.exporter)).get(`bgp_prefix_rpki_vps{prefix="${P4}",validity="${validity}"}`)).toBe(
        visible(),
      ),
    );
  await allAre('valid');
  w.simulator.step({ do: 'roa_loss', prefix: P4 });
  await allAre('not_found');
  w.simulator.step({ do: 'roa', prefix: P4, by: 64_666, max_length: 25 });
  await allAre('invalid_as');
  w.simulator.step({ do: 'recovery', prefix: P4 });
  await allAre('valid');
  const updates = (result: string) => `bgp_rpki_updates_total{rpki_source="0",result="${result}"}`;
  const now = await samples(w.exporter);
  expect(now.get('bgp_rpki_changes_total{rpki_source="0",change="vrp_removed"}')).toBeGreaterThanOrEqual(2);
  expect(now.get(updates('protocol_error'))).toBe(0);
  expect(now.get(updates('cache_reset'))).toBe(0);
});

it.each(['json', 'rtr'] as const)(
  'ASPAs that come and go in the simulator change verdicts on paths, and routes that stay, by %s',
  async (kind) => {
    const w = await world({ prefixes: `[{prefix: ${P4}}, {prefix: "${P6}"}]` }, { rtrListen: '127.0.0.1:0' });
    w.config.more = `rpki: {sources: [${sourceOf(w, kind)}]}\n`;
    await w.start();
    await seeded(w);
    const state = w.exporter.table.prefixes.find(P4);
    const verdicts = async () => {
      const now = await samples(w.exporter);
      const of = (verdict: string) => now.get(`bgp_prefix_aspa_vps{prefix="${P4}",verdict="${verdict}"}`) ?? -1;
      return { valid: of('valid'), unknown: of('unknown'), invalid: of('invalid'), unverifiable: of('unverifiable') };
    };
    const visible = state?.visible ?? 0;
    // A path of two ASes is valid whatever they have signed: its VP is of an upstream of the origin.
    await until(async () =>
      expect(await verdicts()).toEqual({ valid: visible, unknown: 0, invalid: 0, unverifiable: 0 }),
    );
    const version = state?.version;
    w.simulator.step({ do: 'aspa_loss', prefix: P4 });
    await until(async () => {
      const { valid, unknown, invalid } = await verdicts();
      expect([valid + unknown, invalid]).toEqual([visible, 0]);
      expect(unknown).toBeGreaterThan(0);
    });
    w.simulator.step({ do: 'aspa', prefix: P4, providers: [64_666] });
    await until(async () => {
      const { valid, unknown, invalid } = await verdicts();
      expect([valid + invalid, unknown]).toEqual([visible, 0]);
      expect(invalid).toBeGreaterThan(0);
    });
    w.simulator.step({ do: 'recovery', prefix: P4 });
    await until(async () =>
      expect(await verdicts()).toEqual({ valid: visible, unknown: 0, invalid: 0, unverifiable: 0 }),
    );
    expect(state?.version).toBe(version);
    const now = await samples(w.exporter);
    expect(now.get('bgp_rpki_updates_total{rpki_source="0",result="protocol_error"}')).toBe(0);
    for (const change of ['aspa_added', 'aspa_changed', 'aspa_removed'])
      expect([change, now.get(`bgp_rpki_changes_total{rpki_source="0",change="${change}"}`)]).not.toEqual([change, 0]);
  },
);

it('other rules judge the paths that are held once more', async () => {
  const w = await world({ prefixes: `[{prefix: ${P4}}]` });
  w.config.more = 'paths: {allowed: [64777]}\n';
  await w.start();
  await seeded(w);
  const [vp] = w.simulator.vantagePoints().filter(({ isLive }) => isLive);
  w.simulator.announce(vp.key, P4, { asPath: `${vp.asn} 64777 64500` });
  const odd = `bgp_prefix_path_anomaly_vps{prefix="${P4}",anomaly="private_as"}`;
  await until(async () => {
    const now = await samples(w.exporter);
    expect([now.get(`bgp_prefix_announcements_total{prefix="${P4}"}`), now.get(odd)]).toEqual([1, 0]);
  });
  w.config.more = 'paths: {allowed: []}\n';
  await w.exporter.reload();
  expect((await samples(w.exporter)).get(odd)).toBe(1);
});

it('a reload that changes no rule leaves the verdicts on paths where they are', async () => {
  const w = await world({ prefixes: `[{prefix: ${P4}}]` });
  w.config.more = `rpki: {sources: [{url: "${w.simulator.url}/rpki.json", interval: 10s}]}\n`;
  await w.start();
  await seeded(w);
  const aspa = `bgp_prefix_aspa_vps{prefix="${P4}",verdict="valid"}`;
  await until(async () => expect((await samples(w.exporter)).get(aspa)).toBeGreaterThan(0));
  const before = (await samples(w.exporter)).get(aspa);
  w.config.prefixes = `[{prefix: ${P4}, description: other}]`;
  await w.exporter.reload();
  expect((await samples(w.exporter)).get(aspa)).toBe(before);
});
