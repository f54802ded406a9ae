/** What is shipped for Prometheus and Alertmanager, read by their own tools. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { hasProgram } from '../alerts/engine.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const ALERTS = join(ROOT, 'alerts');

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly output: string;
}

function run(program: string, ...parameters: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(program, parameters, { cwd: ALERTS, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      resolve({
        code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1,
        stdout,
        output: stdout + stderr,
      });
    });
  });
}

const tests = readdirSync(join(ALERTS, 'tests')).sort();

describe.skipIf(!hasProgram('promtool'))('promtool', () => {
  test.each(['bgproutes.rules.yml', 'thresholds.example.yml'])('check rules %s', async (name) => {
    expect(await run('promtool', 'check', 'rules', '--lint-fatal', name)).toMatchObject({ code: 0 });
  });

  test('check config prometheus.example.yml', async () => {
    const { code, output } = await run('promtool', 'check', 'config', '--lint-fatal', 'prometheus.example.yml');
    expect(output).toContain('rules found');
    expect(code, output).toBe(0);
  });

  test('check web-config', async () => {
    expect(await run('promtool', 'check', 'web-config', join(ROOT, 'stack/web.yml'))).toMatchObject({ code: 0 });
  });

  test.each(tests)('test rules %s', async (name) => {
    const { code, output } = await run('promtool', 'test', 'rules', join('tests', name));
    expect(code, output).toBe(0);
  });

  /** The unit tests must see a rule that has lost its guard. Only those about the guard are run. */
  describe('the unit tests fail when a rule forgets', () => {
    const folder = mkdtempSync(join(tmpdir(), 'rules-'));
    afterAll(() => rmSync(folder, { recursive: true }));
    const rules = readFileSync(join(ALERTS, 'bgproutes.rules.yml'), 'utf8');

    async function failures(kind: string, name: string, change: (text: string) => string): Promise<number> {
      const { tests: groups, ...rest } = parse(readFileSync(join(ALERTS, 'tests', name), 'utf8')) as {
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

    const guard = /^ +and on \(job, instance\) \(bgp:exporter_trusted:bool == 1\)$/gm;
    test.each(tests.filter((name) => name.startsWith('BGPPrefix')))('that it may not know: %s', async (name) => {
      for (const kind of ['quiet: stream down', 'quiet: not seeded']) {
        expect(await failures(kind, name, (text) => text.replace(guard, '')), kind).toBeGreaterThan(0);
      }
    });

    test.each([
      [
        'BGPPrefixVisibilityDrop.test.yml',
        /^ +unless on \(job, instance, prefix\) \(bgp:prefix_vp_loss:ratio30m > 0\.2\)$/gm,
      ],
      ['BGPPrefixNotVisible.test.yml', /^ +unless on \(job, instance, prefix\) bgp:prefix_vps_gone:bool$/gm],
    ])('that VPs go down themselves: %s', async (name, unless) => {
      expect(await failures('quiet: VPs lost', name, (text) => text.replace(unless, ''))).toBeGreaterThan(0);
    });

    test('that a firing alert is kept over a short cut', async () => {
      const keep = /^ +keep_firing_for: 5m$/gm;
      expect(
        await failures('resolving', 'BGPPrefixNotVisible.test.yml', (text) => text.replace(keep, '')),
      ).toBeGreaterThan(0);
    });
  });
});

describe.skipIf(!hasProgram('amtool'))('amtool', () => {
  const example = join(ALERTS, 'alertmanager.example.yml');

  test('check-config alertmanager.example.yml', async () => {
    const { code, output } = await run('amtool', 'check-config', example);
    expect(code, output).toBe(0);
    expect(output).toContain('5 inhibit rules');
  });

  test.each([
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
