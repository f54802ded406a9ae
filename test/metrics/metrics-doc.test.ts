import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { METRICS_DOC, metricsDoc } from '../../docs/generate-metrics-doc.ts';
import { ownMetrics } from '../../src/metrics/catalogue.ts';
import { runtimeMetrics } from '../../src/metrics/runtime-metrics.ts';

describe('docs/metrics.md', () => {
  const text = readFileSync(METRICS_DOC, 'utf8');

  it('is what the catalogue says: npm run docs:metrics writes it', () => {
    expect(text).toBe(metricsDoc());
  });

  it('names every metric of the catalogue once, by both names', () => {
    for (const { name, otlpName } of [...ownMetrics, ...Object.values(runtimeMetrics)]) {
      const rows = text
        .split('\n')
        .filter((line) => line.startsWith(`| \`${name}\``) || line.startsWith(`| \`${name}{`));
      expect(rows, name).toHaveLength(1);
      expect(rows[0]).toContain(`\`${otlpName}\``);
    }
  });
});
