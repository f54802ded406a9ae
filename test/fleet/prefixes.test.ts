/** How many prefixes the configuration of a fleet takes. */
import { expect, it } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';

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
