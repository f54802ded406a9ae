/** The alert about ASPA on what an exporter of a simulated Internet really tells, by the bundled rules and promtool. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasProgram } from '../alerts/engine.ts';
import { P4, samples, seeded, temporaryFolder, world } from '../end-to-end/world.ts';
import { until } from '../support/patience.ts';

const RULES = join(import.meta.dirname, '../../alerts/bgproutes.rules.yml');
const MINUTES = 30;

/** Whether promtool finds that the alert about our prefix fires, when all samples stand still for half an hour. */
function fires(alert: string, scraped: ReadonlyMap<string, number>): boolean {
  const target = 'job="bgproutes-exporter",instance="edge:10479"';
  const series = [...scraped].map(([key, value]) => ({
    series: key.includes('{') ? key.replace('{', `{${target},`) : `${key}{${target}}`,
    values: `${value}x${MINUTES}`,
  }));
  const file = join(temporaryFolder(), 'test.yml');
  const expression = `count(ALERTS{alertname="${alert}", alertstate="firing", prefix="${P4}"}) or vector(0)`;
  const isTrue = (value: number) => {
    const test = {
      interval: '1m',
      input_series: [...series, { series: `up{${target}}`, values: `1x${MINUTES}` }],
      promql_expr_test: [{ expr: expression, eval_time: `${MINUTES}m`, exp_samples: [{ labels: '{}', value }] }],
    };
    writeFileSync(file, JSON.stringify({ rule_files: [RULES], evaluation_interval: '1m', tests: [test] }));
    try {
      execFileSync('promtool', ['test', 'rules', file], { stdio: 'pipe' });
      return true;
    } catch {
      return false;
    }
  };
  const [fired, calm] = [isTrue(1), isTrue(0)];
  // Neither is a test that could not be run.
  if (fired === calm) throw new Error('promtool does not say whether the alert fires');
  return fired;
}

describe.skipIf(!hasProgram('promtool'))('BGPPrefixAspaInvalid', () => {
  it('fires when the ASPA of the origin lacks its providers, and not when it has none or the right one', async () => {
    const w = await world({ prefixes: `[{prefix: ${P4}}]` });
    w.config.more = `rpki: {sources: [{url: "${w.simulator.url}/rpki.json", interval: 10s}]}\n`;
    await w.start();
    await seeded(w);
    const scrapeOnce = async (isThere: (scraped: ReadonlyMap<string, number>) => boolean) => {
      let scraped: ReadonlyMap<string, number> = new Map();
      await until(async () => {
        scraped = await samples(w.exporter);
        expect(isThere(scraped)).toBe(true);
      });
      return scraped;
    };
    const vps = (scraped: ReadonlyMap<string, number>, verdict: string) =>
      scraped.get(`bgp_prefix_aspa_vps{prefix="${P4}",verdict="${verdict}"}`) ?? 0;
    const usual = await scrapeOnce((scraped) => vps(scraped, 'valid') > 0 && vps(scraped, 'unknown') === 0);
    expect(fires('BGPPrefixAspaInvalid', usual)).toBe(false);
    w.simulator.step({ do: 'aspa_loss', prefix: P4 });
    const unsigned = await scrapeOnce((scraped) => vps(scraped, 'unknown') > 0);
    expect(fires('BGPPrefixAspaInvalid', unsigned)).toBe(false);
    w.simulator.step({ do: 'aspa', prefix: P4, providers: [64_666] });
    const wrong = await scrapeOnce((scraped) => vps(scraped, 'invalid') > 1);
    expect(fires('BGPPrefixAspaInvalid', wrong)).toBe(true);
    w.simulator.step({ do: 'recovery', prefix: P4 });
    const right = await scrapeOnce((scraped) => vps(scraped, 'invalid') === 0);
    expect(fires('BGPPrefixAspaInvalid', right)).toBe(false);
  });
});
