/**
 * A real validator (StayRTR), and what happens to one: new data, a set that shrinks or is empty, a restart, a hang, an end. The
 * exporter follows it over RTR, in time that runs sixty times as fast; a scrape a minute is then played to the bundled rules.
 */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { stringify } from 'yaml';
import { rpkiCommand } from '../../src/commands/look/rpki.ts';
import { scenario } from '../../src/simulator/scenario/scenario.ts';
import { hasProgram, missing } from '../alerts/engine.ts';
import { ALERTS_FOLDER, readRules } from '../alerts/rules-file.ts';
import { runCommand } from '../commands/command-world.ts';
import { P4, samples, seeded, world } from '../end-to-end/world.ts';
import { freePort } from '../support/free-port.ts';

/** A folder with validator.sh (install, start, update, restart, freeze, thaw, stop), which serves a file of VRPs. */
const TOOLS = process.env.RPKI_TOOLS ?? fileURLToPath(new URL('../../../shared/rpki', import.meta.url));
const SCRIPT = join(TOOLS, 'validator.sh');
/** A minute is a second on a machine that keeps up. */
const MINUTE_MS = 60_000;
const WITHIN = { timeout: 240_000, interval: 50 };

const folder = mkdtempSync(join(tmpdir(), 'rpki-validator-'));
const home = join(folder, 'home');
const run = promisify(execFile);
const validator = (...args: string[]) =>
  run('bash', [SCRIPT, ...args], { env: { ...process.env, VALIDATOR_HOME: home } });

function hasValidator(): boolean {
  if (!existsSync(SCRIPT)) return missing(`${SCRIPT} (RPKI_TOOLS)`);
  try {
    execFileSync('sh', ['-c', 'command -v stayrtr'], { stdio: 'ignore' });
    return true;
  } catch {
    return missing('stayrtr');
  }
}

/** VRPs that concern nobody here, so that a set can shrink. */
const OTHERS = Array.from({ length: 50 }, (_, i) => ({
  prefix: `100.${i}.0.0/16`,
  asn: 64_600 + i,
  maxLength: 24,
  ta: 'ripe',
}));

function vrpFile(name: string, roas: readonly object[]): string {
  const path = join(folder, `${name}.json`);
  writeFileSync(path, JSON.stringify({ metadata: { buildtime: new Date().toISOString() }, roas }));
  return path;
}

/** Scrapes, one a minute of the exporter's time. */
class Scrapes {
  readonly #taken: ReadonlyMap<string, number>[] = [];

  get minutes(): number {
    return this.#taken.length;
  }

  take(scrape: ReadonlyMap<string, number>): void {
    this.#taken.push(scrape);
  }

  /** As promtool has them: a series that a scrape does not have has ended. */
  series(): { readonly series: string; readonly values: string }[] {
    const target = 'job="bgproutes-exporter",instance="edge:10479"';
    const keys = new Set(this.#taken.flatMap((scrape) => [...scrape.keys()]));
    const ours = [...keys].filter((key) => /^(?:bgp_|process_start_time)/.test(key) && !key.includes('_bucket{'));
    return [
      { series: `up{${target}}`, values: this.#taken.map(() => '1').join(' ') },
      ...ours.map((key) => {
        const [, name, labels] = /^([^{]+)(?:\{(.*)\})?$/.exec(key) ?? [];
        let was: number | undefined;
        const values = this.#taken.map((scrape) => {
          const value = scrape.get(key);
          const text = value !== undefined ? String(value) : was === undefined ? '_' : 'stale';
          was = value;
          return text;
        });
        return { series: `${name}{${[target, labels].filter(Boolean).join(',')}}`, values: values.join(' ') };
      }),
    ];
  }
}

describe.skipIf(!hasProgram('promtool') || !hasValidator())('a real validator', () => {
  afterAll(async () => {
    await validator('stop');
    rmSync(folder, { recursive: true });
  });

  it('whatever happens to it shows within max_age, and no alert about a prefix fires by it', async () => {
    const [rtr, http] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
    const origin = 64_500;
    const ours = { prefix: P4, asn: origin, maxLength: 24, ta: 'ripe' };
    const [base, more, shrunk, empty] = [
      vrpFile('base', [ours, ...OTHERS]),
      vrpFile('more', [ours, { ...ours, asn: 64_501 }, ...OTHERS]),
      vrpFile('shrunk', OTHERS.slice(0, 5)),
      vrpFile('empty', []),
    ];
    await validator('start', base, '--rtr', rtr, '--http', http, '--timers', '60,60,600');

    const w = await world(
      {
        prefixes: `[{prefix: ${P4}, origins: [${origin}]}]`,
        more: `rpki: {max_age: 10m, sources: [{url: "rtr://${rtr}"}]}\n`,
      },
      { scenario: scenario({ vps: 30, churn_per_minute: 0, prefixes: [{ prefix: P4, origin }] }) },
      60,
    );
    await w.start();
    await seeded(w);
    const scrapes = new Scrapes();
    const scrape = async () => scrapes.take(await samples(w.exporter));
    let stopScraping = () => {};
    const scrapeEachMinute = () => {
      stopScraping = w.timers.schedule(() => {
        scrapeEachMinute();
        void scrape();
      }, MINUTE_MS);
    };
    scrapeEachMinute();
    try {
      const now = (name: string, labels = '') =>
        w.exporter.render('text').then((body) => {
          const line = body
            .toString()
            .split('\n')
            .find((each) => each.startsWith(`${name}${labels === '' ? ' ' : `{${labels}} `}`));
          return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1));
        });
      const source = 'rpki_source="0"';
      const valid = () => now('bgp_prefix_rpki_vps', `prefix="${P4}",validity="valid"`);
      const covering = () => now('bgp_prefix_covering_vrps', `prefix="${P4}"`);
      const vrps = () => now('bgp_rpki_vrps', `${source},ta="unknown"`);
      const result = async (name: string) => (await now('bgp_rpki_updates_total', `${source},result="${name}"`)) ?? 0;
      const shows = (check: () => Promise<void>) => vi.waitFor(check, WITHIN);
      const minutes = async (count: number) => {
        const end = scrapes.minutes + count;
        await vi.waitFor(() => expect(scrapes.minutes).toBeGreaterThanOrEqual(end), WITHIN);
      };
      const visible = await now('bgp_prefix_visible_vps', `prefix="${P4}"`);
      expect(visible).toBeGreaterThan(5);

      // The first table, over RTR and over HTTP.
      await shows(async () => expect([await valid(), await covering(), await vrps()]).toEqual([visible, 1, 51]));
      const asked = runCommand(rpkiCommand, [P4, String(origin), `--rpki.source=http://${http}/vrps.json`]);
      expect([await asked.exit, asked.stdout.lines[0]]).toEqual([0, `${P4} from AS${origin}: valid`]);

      // A difference.
      await validator('update', more);
      await shows(async () => expect([await valid(), await covering(), await vrps()]).toEqual([visible, 2, 52]));
      expect(await now('bgp_rpki_changes_total', `${source},change="vrp_added"`)).toBe(1);

      // Most of the set goes, and what covers the prefix with it: nobody took away our ROA. The rules must have seen it before.
      await minutes(3);
      await validator('update', shrunk);
      await shows(async () => expect([await valid(), await covering(), await vrps()]).toEqual([0, 0, 5]));
      await minutes(12);
      await validator('update', base);
      await shows(async () => expect([await valid(), await vrps()]).toEqual([visible, 51]));

      // An empty set does not replace a good one.
      await validator('update', empty);
      await shows(async () => expect(await result('empty')).toBeGreaterThan(0));
      expect(await valid()).toBe(visible);
      await validator('update', base);
      await shows(async () => expect(await now('bgp_rpki_up', source)).toBe(1));

      // Another session: everything is read again, and nothing is lost meanwhile.
      const refused = async () =>
        (await result('new_session')) + (await result('error_report')) + (await result('unavailable'));
      const refusedBefore = await refused();
      await validator('restart');
      await shows(async () => expect(await refused()).toBeGreaterThan(refusedBefore));
      await shows(async () => expect([await now('bgp_rpki_up', source), await valid()]).toEqual([1, visible]));

      // It hangs: its data becomes too old, and no number is left that rests on it.
      await validator('freeze');
      await shows(async () => expect([await now('bgp_rpki_usable'), await valid()]).toEqual([0, undefined]));
      await validator('thaw');
      await shows(async () => expect([await now('bgp_rpki_usable'), await valid()]).toEqual([1, visible]));

      // It ends.
      const before = await result('unavailable');
      await validator('stop');
      await shows(async () => expect(await result('unavailable')).toBeGreaterThan(before));
      await shows(async () => expect([await now('bgp_rpki_usable'), await valid()]).toEqual([0, undefined]));
      await minutes(3);
    } finally {
      stopScraping();
    }

    const tests = join(folder, 'validator.test.yml');
    const last = scrapes.minutes - 1;
    const fired = (names: string) =>
      `count(count_over_time(ALERTS{alertname=~"${names}", alertstate="firing"}[${last + 1}m]))`;
    writeFileSync(
      tests,
      stringify({
        rule_files: [join(ALERTS_FOLDER, 'bgproutes.rules.yml')],
        evaluation_interval: '1m',
        group_eval_order: readRules().groups.map(({ name }) => name),
        tests: [
          {
            interval: '1m',
            input_series: scrapes.series(),
            promql_expr_test: [
              { expr: fired('BGPPrefix.+'), eval_time: `${last}m` },
              { expr: fired('BGPRpkiDataShrunk'), eval_time: `${last}m`, exp_samples: [{ labels: '{}', value: 1 }] },
            ],
          },
        ],
      }),
    );
    const played = await run('promtool', ['test', 'rules', tests]).then(
      ({ stdout }) => stdout,
      (error: { stdout: string; stderr: string }) => `${error.stdout}${error.stderr}`,
    );
    expect(played).toContain('SUCCESS');
  });
});
