/** What is shipped for Prometheus and Alertmanager, read by their own tools. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { ruleTests } from '../alerts/cases.ts';
import { hasProgram } from '../alerts/engine.ts';
import { PRESENCE } from '../alerts/events.ts';
import { sharedTestFile, soleTestFiles } from '../alerts/generate.ts';
import { run } from '../alerts/promtool.ts';
import type { Kind, RuleTest } from '../alerts/rule-test.ts';
import { ALERTS_FOLDER } from '../alerts/rules-file.ts';
import { strangers } from '../alerts/sites.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

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

  const folder = mkdtempSync(join(tmpdir(), 'rules-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([...soleTestFiles(ALERTS_FOLDER)])('test rules %s', async (name, text) => {
    writeFileSync(join(folder, name), text);
    const { code, output } = await run('promtool', 'test', 'rules', join(folder, name));
    expect(output).toContain('SUCCESS');
    expect(code, output).toBe(0);
  });

  /** The unit tests must see a rule that has lost its guard. Only those about the guard are run. */
  describe('the unit tests fail when a rule forgets', () => {
    const rules = readFileSync(join(ALERTS_FOLDER, 'bgproutes.rules.yml'), 'utf8');

    /** Those of the cases that fail with changed rules. */
    async function failing(cases: readonly RuleTest[], change: (text: string) => string): Promise<Set<RuleTest>> {
      const own = mkdtempSync(join(folder, 'changed-'));
      const changed = change(rules);
      expect(changed).not.toBe(rules);
      writeFileSync(join(own, 'bgproutes.rules.yml'), changed);
      const [name, text] = sharedTestFile('changed', strangers(cases), '');
      writeFileSync(join(own, name), text);
      const { output } = await run('promtool', 'test', 'rules', join(own, name));
      const failed = output.matchAll(/^ +expr: ".*?site=\\"(\d+) .*", time: .*,\n +exp: /gm);
      return new Set([...failed].map(([, number]) => cases[Number(number)]!));
    }

    /** `ALERT, KIND` of which no case fails, though the rules have lost what it is about. */
    async function unseen(alerts: readonly string[], kinds: readonly Kind[], change: (text: string) => string) {
      const isAbout = (test: RuleTest) =>
        alerts.includes(test.alert) && test.kinds.some((kind) => kinds.includes(kind));
      const failed = [...(await failing(ruleTests.filter(isAbout), change))];
      return alerts.flatMap((alert) =>
        kinds
          .filter((kind) => !failed.some((test) => test.alert === alert && test.kinds.includes(kind)))
          .map((kind) => `${alert}, ${kind}`),
      );
    }

    const ABSENCE = [...new Set(ruleTests.map(({ alert }) => alert))].filter(
      (alert) => alert.startsWith('BGPPrefix') && !PRESENCE.includes(alert),
    );

    it('that it may not know: every alert of absence', async () => {
      const guard = /^ +and (?:ignoring \(region\) )?\(bgp:prefix_trusted:bool == 1\)$/gm;
      expect(ABSENCE.length).toBeGreaterThan(0);
      const kinds = ['quiet: stream down', 'quiet: not seeded'] as const;
      expect(await unseen(ABSENCE, kinds, (text) => text.replace(guard, ''))).toEqual([]);
    });

    it('that a session may be stale', async () => {
      const stale = /unless\n +min without \(source, session\) \((?:.|\n)*?\) == 1\n/;
      const forget = (text: string) => text.replace(stale, '');
      expect(await unseen(['BGPPrefixNotVisible'], ['quiet: stream stale'], forget)).toEqual([]);
    });

    it('that what is there is there: every alert of presence', async () => {
      // As it was: the whole exporter had to be trusted.
      const fault =
        /(labels: \{ fault: (?:unexpected_\w+|multiple_origins|more_specific\w*|rpki_\w+|aspa_invalid|path_leak|path_anomaly) \}\n(?: +#.*\n)* +expr: \|\n)((?: {10}.*\n)+)/g;
      const forget = (text: string) =>
        text.replace(
          fault,
          '$1$2          and ignoring (afi, group, description, more_specific) (bgp:prefix_trusted:bool == 1)\n',
        );
      expect(await unseen(PRESENCE, ['told: stream down', 'told: not seeded'], forget)).toEqual([]);
    });

    it.each([
      ['BGPPrefixVisibilityDrop', /^ +unless \(bgp:prefix_vp_loss:ratio30m > 0\.2\)$/gm],
      ['BGPPrefixRegionNotVisible', /^ +unless ignoring \(region\) \(bgp:prefix_vp_loss:ratio30m > 0\.2\)$/gm],
      ['BGPPrefixNotVisible', /^ +unless bgp:prefix_vps_gone:bool$/gm],
    ])('that VPs go down themselves: %s', async (alert, unless) => {
      expect(await unseen([alert], ['quiet: VPs lost'], (text) => text.replace(unless, ''))).toEqual([]);
    });

    it('that a fault goes on where it is not known: every alert about a prefix', async () => {
      // Without its memory an alert is what is found now.
      const forget = (text: string) => text.replaceAll('(bgp:prefix_fault:held{', '(bgp:prefix_fault:value{');
      const cases = ruleTests.filter(
        ({ kinds, name }) => kinds.includes('goes on') && name.includes('over a restart that takes half an hour'),
      );
      const failed = new Set([...(await failing(cases, forget))].map(({ alert }) => alert));
      expect([...ABSENCE, ...PRESENCE].filter((alert) => !failed.has(alert))).toEqual([]);
    });
  });
});

describe.skipIf(!hasProgram('amtool'))('amtool', () => {
  const example = join(ALERTS_FOLDER, 'alertmanager.example.yml');

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
