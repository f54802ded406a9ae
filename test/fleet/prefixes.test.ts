/** How many prefixes the configuration of a fleet takes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkConfigCommand } from '../../src/commands/check/check-config.ts';
import { fleetCommand } from '../../src/commands/fleet.ts';
import { ingestCommand } from '../../src/commands/run/ingest.ts';
import { serveCommand } from '../../src/commands/run/serve.ts';
import { loadConfig } from '../../src/config/config.ts';
import { runCommand } from '../commands/command-world.ts';

const read = (count: number, more: string) =>
  loadConfig({
    ...{ flags: { 'config.file': 'bgp.yml' }, env: {}, use: 'serve' },
    readFile: () =>
      `prefixes: [${Array.from({ length: count }, (_, i) => `{prefix: 10.${i >> 8}.${i & 255}.0/24}`).join(', ')}]\n${more}`,
  });

it('takes more prefixes in a fleet than for one exporter, by the number of partitions', () => {
  expect(read(10_001, "fleet: {brokers: ['a:9092'], partitions: 2}").prefixes).toHaveLength(10_001);
  expect(() => read(10_001, "fleet: {brokers: ['a:9092'], partitions: 1}")).toThrow(
    /at most 10000 prefixes, got 10001/,
  );
  expect(() => read(10_001, 'sources: [ris-live]')).toThrow(/at most 10000 prefixes, got 10001/);
});

it('refuses prefixes of which a partition has more than its record can name: the check, each start, and the look at the topics', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'crowded-'));
  try {
    const file = join(folder, 'fleet.yml');
    const inside = Array.from({ length: 10_000 }, (_, i) => `{prefix: 10.${i >> 8}.${i & 255}.0/24}`);
    const config = `prefixes: [{prefix: 10.0.0.0/8}, ${inside.join(', ')}]
fleet: {brokers: ['127.0.0.1:1'], partitions: 64}
sources: [ris-live]
web: {listen_address: '127.0.0.1:0'}
`;
    writeFileSync(file, config);
    const expected =
      /prefixes: expected at most 10000 in each partition of the fleet, got 10001 in partition \d+ of 64/;
    const flag = `--config.file=${file}`;
    await expect(runCommand(checkConfigCommand, [file]).exit).rejects.toThrow(expected);
    await expect(runCommand(fleetCommand, ['check', flag]).exit).rejects.toThrow(expected);
    await expect(runCommand(serveCommand, [flag]).exit).rejects.toThrow(expected);
    await expect(runCommand(ingestCommand, [flag]).exit).rejects.toThrow(expected);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
