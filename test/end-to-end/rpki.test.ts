/** Verdicts of a whole exporter: a file of VRPs, the routes of the simulator, a scrape. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { P4, P6, samples, seeded, temporaryFolder, until, world } from './world.ts';

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
}, 60_000);
