/** What is shipped for Prometheus and Alertmanager, read by their own tools. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { PRESENCE } from '../alerts/cases.ts';
import { hasProgram } from '../alerts/engine.ts';
import { TESTS_FOLDER, writeRuleTests } from '../alerts/generate.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const ALERTS = join(ROOT, 'alerts');

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly output: string;
}

function run(program: string, ...parameters: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    // promtool makes garbage fast: a collector that runs less often saves a quarter of its time.
    const env = { ...process.env, GOGC: '400' };
    execFile(program, parameters, { cwd: ALERTS, env, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      resolve({
        code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1,
        stdout,
        output: stdout + stderr,
      });
    });
  });
}

const tests = writeRuleTests();

describe.skipIf(!hasProgram('promtool'))('promtool', () => {
  it.each(['bgproutes.rules.yml', 'thresholds.example.yml'])('check rules %s', async (name) => {
    expect(await run('promtool', 'check', 'rules', '--lint-fatal', name)).toMatchObject({ code: 0 });
  });

  it('check config prometheus.example.yml', async () => {
    const { code, output } = await run('promtool', 'check', 'config', '--lint-fatal', 'prometheus.example.yml');
    expect(output).toContain('rules found');
    expect(code, output).toBe(0);
  });

  it('check web-config', async () => {
    expect(await run('promtool', 'check', 'web-config', join(ROOT, 'stack/web.yml'))).toMatchObject({ code: 0 });
  });

  it.each(tests)('test rules %s', async (name) => {
    const { code, output } = await run('promtool', 'test', 'rules', join(TESTS_FOLDER, name));
    expect(code, output).toBe(0);
  });

  /** The unit tests must see a rule that has lost its guard. Only those about the guard are run. */
  describe('the unit tests fail when a rule forgets', () => {
    const folder = mkdtempSync(join(tmpdir(), 'rules-'));
    afterAll(() => rmSync(folder, { recursive: true }));
    const rules = readFileSync(join(ALERTS, 'bgproutes.rules.yml'), 'utf8');

    async function failures(kind: string, name: string, change: (text: string) => string): Promise<number> {
      const { tests: groups, ...rest } = parse(readFileSync(join(TESTS_FOLDER, name), 'utf8')) as {
        tests: { name: string }[];
      };
      const about = groups.filter((group) => group.name.includes(kind));
      expect(about.length).toBeGreaterThan(0);
      writeFileSync(join(folder, name), stringify({ ...rest, rule_files: ['rules.yml'], tests: about }));
      const text = change(rules);
      expect(text).not.toBe(rules);
      writeFileSync(join(folder, 'rules.yml'), text);
      const { code, output } = await run('promtool', 'test', 'rules', join(folder, name));
      if (code === 0) return 0;
      return output.split('\n').filter((line) => /^ +exp: nil|^ +exp: \{/.test(line)).length;
    }

    const of = (alert: string, kind = 'test.yml') => `${alert}.${kind}`;
    const ABSENCE = tests
      .map((name) => /^(BGPPrefix\w+)\.test\.yml$/.exec(name)?.[1])
      .filter((name) => name !== undefined && !PRESENCE.includes(name)) as string[];

    const guard = /^ +and (?:ignoring \(region\) )?\(bgp:prefix_trusted:bool == 1\)$/gm;
    it.each(ABSENCE)('that it may not know: %s', async (alert) => {
      for (const kind of ['quiet: stream down', 'quiet: not seeded']) {
        expect(await failures(kind, of(alert), (text) => text.replace(guard, '')), kind).toBeGreaterThan(0);
      }
    });

    it('that a session may be stale', async () => {
      const stale = /unless\n +min without \(source, session\) \((?:.|\n)*?\) == 1\n/;
      const forget = (text: string) => text.replace(stale, '');
      expect(await failures('quiet: stream stale', of('BGPPrefixNotVisible'), forget)).toBeGreaterThan(0);
    });

    it.each(PRESENCE)('that what is there is there: %s', async (alert) => {
      // As it was: the whole exporter had to be trusted.
      const fault =
        /(labels: \{ fault: (?:unexpected_\w+|multiple_origins|more_specific\w*|rpki_\w+|aspa_invalid|path_leak|path_anomaly) \}\n(?: +#.*\n)* +expr: \|\n)((?: {10}.*\n)+)/g;
      const forget = (text: string) =>
        text.replace(
          fault,
          '$1$2          and ignoring (afi, group, description, more_specific) (bgp:prefix_trusted:bool == 1)\n',
        );
      for (const kind of ['told: stream down', 'told: not seeded']) {
        expect(await failures(kind, of(alert), forget), kind).toBeGreaterThan(0);
      }
    });

    it.each([
      ['BGPPrefixVisibilityDrop', /^ +unless \(bgp:prefix_vp_loss:ratio30m > 0\.2\)$/gm],
      ['BGPPrefixRegionNotVisible', /^ +unless ignoring \(region\) \(bgp:prefix_vp_loss:ratio30m > 0\.2\)$/gm],
      ['BGPPrefixNotVisible', /^ +unless bgp:prefix_vps_gone:bool$/gm],
    ])('that VPs go down themselves: %s', async (alert, unless) => {
      expect(await failures('quiet: VPs lost', of(alert), (text) => text.replace(unless, ''))).toBeGreaterThan(0);
    });

    it.each([...ABSENCE, ...PRESENCE])('that a fault goes on where it is not known: %s', async (alert) => {
      // Without its memory an alert is what is found now.
      const forget = (text: string) => text.replaceAll('(bgp:prefix_fault:held{', '(bgp:prefix_fault:value{');
      const restart = 'over a restart that takes half an hour';
      expect(await failures(restart, of(`outage.${alert}`), forget)).toBeGreaterThan(0);
    });
  });
});

describe.skipIf(!hasProgram('amtool'))('amtool', () => {
  const example = join(ALERTS, 'alertmanager.example.yml');

  it('check-config alertmanager.example.yml', async () => {
    const { code, output } = await run('amtool', 'check-config', example);
    expect(code, output).toBe(0);
    expect(output).toContain('3 inhibit rules');
  });

  it.each([
    [
      'a warning about a prefix of a group goes to its owners',
      ['alertname=BGPPrefixFlapping', 'severity=warning', 'group=core'],
      'core-team',
    ],
    [
      'a critical one to the pager too',
      ['alertname=BGPPrefixNotVisible', 'severity=critical', 'group=services'],
      'pager,services-team',
    ],
    ['a prefix without a group to the operators', ['alertname=BGPPrefixFlapping', 'severity=warning'], 'operators'],
    ['the stream to those who run the exporter', ['alertname=BGPStreamDown', 'severity=critical'], 'monitoring-team'],
  ])('%s', async (_, labels, receivers) => {
    const { stdout } = await run('amtool', 'config', 'routes', 'test', `--config.file=${example}`, ...labels);
    expect(stdout.trim()).toBe(receivers);
  });
});
