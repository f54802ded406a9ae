/** Snapshots: a restart goes on where the last run ended, and a file that cannot be used is never in the way. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import type { PrefixList } from '../../src/outputs/page/api-schemas.ts';
import { until } from '../support/patience.ts';
import { P4, P6, samples, seeded, tableRoutes, temporaryFolder, trueRoutes, type World, world } from './world.ts';

const MORE_SPECIFIC = '192.23.62.128/25';

async function stored(folder: string): Promise<World> {
  const w = await world({ more: `storage: {path: "${folder}", snapshot_interval: 10s}` });
  await w.start();
  await seeded(w);
  return w;
}

it('table, more-specifics and counters are there again after a restart, and what was missed is filled in', async () => {
  const folder = temporaryFolder();
  const w = await stored(folder);
  const [one, other] = w.simulator.vantagePoints().filter((vp) => vp.isLive);
  w.simulator.announce(one.key, P4, { asPath: `${one.asn} 64999 64500` });
  w.simulator.announce(one.key, MORE_SPECIFIC, { asPath: `${one.asn} 64666` });
  await until(async () => expect((await samples(w.exporter)).get(`bgp_prefix_more_specifics{prefix="${P4}"}`)).toBe(1));
  const before = await samples(w.exporter);
  const restoredFrom = async (): Promise<unknown> => {
    const answer = await fetch(`http://${w.exporter.address}/api/v1/prefixes`);
    return ((await answer.json()) as PrefixList).status.restored_from;
  };
  expect(await restoredFrom()).toBe(null);
  await w.exporter.stop();
  w.simulator.withdraw(one.key, P4);
  w.simulator.announce(other.key, P4, { asPath: `${other.asn} 64998 64500` });
  await w.start();
  const restored = await samples(w.exporter);
  expect(restored.get('bgp_table_restores_total{result="success"}')).toBe(1);
  expect(Date.parse(String(await restoredFrom()))).toBeLessThanOrEqual(w.exporter.figures.startTimeMs);
  expect(restored.get(`bgp_prefix_announcements_total{prefix="${P4}"}`)).toBe(
    before.get(`bgp_prefix_announcements_total{prefix="${P4}"}`),
  );
  expect(restored.get(`bgp_prefix_vp_gains_total{prefix="${P4}"}`)).toBe(
    before.get(`bgp_prefix_vp_gains_total{prefix="${P4}"}`),
  );
  await seeded(w);
  expect(tableRoutes(w.exporter.table)).toEqual(trueRoutes(w.simulator, P4, P6, MORE_SPECIFIC));
  // Filled from the history alone: the RIB was not needed.
  const healed = await samples(w.exporter);
  expect(healed.get('bgp_data_api_requests_total{endpoint="rib",result="success"}')).toBe(0);
});

it('after a kill the table is there, and the counters begin at 0 rather than come back lower than they were scraped', async () => {
  const folder = temporaryFolder();
  const announcements = async () => (await samples(w.exporter)).get(`bgp_prefix_announcements_total{prefix="${P4}"}`);
  const w = await stored(folder);
  const [vp] = w.simulator.vantagePoints().filter((one) => one.isLive);
  w.simulator.announce(vp.key, P4, { asPath: `${vp.asn} 64999 64500` });
  await until(async () => expect(await announcements()).toBe(1));
  await w.exporter.stop();
  await w.start();
  expect(await announcements()).toBe(1);
  // What a kill would leave from here on.
  const left = readdirSync(folder).map((name) => [join(folder, name), readFileSync(join(folder, name))] as const);
  await w.exporter.stop();
  for (const [name, bytes] of left) writeFileSync(name, bytes);
  await w.start();
  expect(await announcements()).toBe(0);
  await seeded(w);
  expect(tableRoutes(w.exporter.table)).toEqual(trueRoutes(w.simulator, P4, P6));
});

it('the snapshot is written at its interval too, so that a killed process loses at most that', async () => {
  const w = await stored(temporaryFolder());
  await until(async () =>
    expect((await samples(w.exporter)).get('bgp_table_snapshots_total{result="success"}')).toBeGreaterThan(1),
  );
});

type Damage = (bytes: Buffer) => Buffer;
const DAMAGES: readonly (readonly [string, Damage])[] = [
  ['truncated', (bytes) => bytes.subarray(0, bytes.length >> 1)],
  ['truncated', () => Buffer.alloc(0)],
  ['foreign', () => Buffer.from('#!/bin/sh\necho no table\n')],
  ['version', (bytes) => Buffer.concat([bytes.subarray(0, 16), Buffer.from([99, 0, 0, 0]), bytes.subarray(20)])],
  ['corrupt', (bytes) => Buffer.concat([bytes.subarray(0, 60), Buffer.from([bytes[60] ^ 1]), bytes.subarray(61)])],
];

it.each(DAMAGES)(
  'a file that is %s is set aside, counted and logged, and the exporter starts',
  async (result, damage) => {
    const folder = temporaryFolder();
    const w = await stored(folder);
    await w.exporter.stop();
    const file = join(folder, 'table.snapshot');
    const damaged = damage(readFileSync(file));
    writeFileSync(file, damaged);
    await w.start();
    expect((await samples(w.exporter)).get(`bgp_table_restores_total{result="${result}"}`)).toBe(1);
    const aside = readdirSync(folder).filter((name) => name.startsWith(`table.snapshot.${result}-`));
    expect(aside).toHaveLength(1);
    expect(readFileSync(join(folder, aside[0]))).toEqual(damaged);
    expect(w.logger.lines.some((line) => line.level === 'warn' && line.message.includes('set aside'))).toBe(true);
    await seeded(w);
    expect(tableRoutes(w.exporter.table)).toEqual(trueRoutes(w.simulator, P4, P6));
  },
);

it('a snapshot older than the window of expected VPs is set aside', async () => {
  const folder = temporaryFolder();
  const w = await stored(folder);
  await w.exporter.stop();
  const file = join(folder, 'table.snapshot');
  w.config.table = 'expected_window: 1m';
  await until(() => expect(w.timers.now() - startedAt(readFileSync(file))).toBeGreaterThan(61_000));
  await w.start();
  expect((await samples(w.exporter)).get('bgp_table_restores_total{result="too_old"}')).toBe(1);
});

function startedAt(bytes: Buffer): number {
  return Number(/"createdAtMs":(\d+)/.exec(bytes.toString('latin1'))?.[1]);
}

it('a folder that cannot be made ends the start, with its path and the reason', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'not-a-folder');
  writeFileSync(file, '');
  const w = await world({ more: `storage: {path: "${file}", snapshot_interval: 10s}` });
  await expect(w.start()).rejects.toThrow(
    new ConfigError([`storage.path: ${file} cannot be written to: a part of its path is no folder`]),
  );
});

it('a snapshot that cannot be written is counted, with the reason of the system and whether there is one before it', async () => {
  const folder = temporaryFolder();
  const w = await stored(folder);
  mkdirSync(join(folder, 'table.snapshot', 'something'), { recursive: true });
  await until(() => expect(w.logger.lines.map(({ message }) => message)).toContain(NOT_WRITTEN));
  expect(w.exporter.figures.snapshots.error).toBeGreaterThan(0);
  const line = w.logger.lines.find(({ message }) => message === NOT_WRITTEN);
  expect(line?.fields).toMatchObject({ file: join(folder, 'table.snapshot'), reason: 'it is a folder' });
});

const NOT_WRITTEN = 'the snapshot could not be written; the one before it is kept';

it('a second exporter on the folder says so and leaves the snapshot alone, until the first one has ended', async () => {
  const folder = temporaryFolder();
  const first = await stored(folder);
  const second = await world({ more: `storage: {path: "${folder}", snapshot_interval: 10s}` });
  await second.start();
  const [warning] = second.logger.lines.filter(({ message }) => message.startsWith('storage.path is used by another'));
  expect(warning.fields).toMatchObject({ path: folder, holder: expect.stringMatching(/^process \d+ on /) });
  await until(() => expect(second.exporter.figures.snapshots.error).toBeGreaterThan(0));
  expect(second.exporter.figures.snapshots.success).toBe(0);
  await first.exporter.stop();
  await until(() => expect(second.exporter.figures.snapshots.success).toBeGreaterThan(0));
});
