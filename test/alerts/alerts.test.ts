import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { dashboards } from '../../dashboards/src/generate.ts';
import { ownMetrics } from '../../src/metrics/catalogue.ts';
import { wrongNames } from '../dashboards/names.ts';
import { ruleTests } from './cases.ts';
import { PRESENCE } from './events.ts';
import { MISHAPS } from './mishaps.ts';
import type { Kind } from './rule-test.ts';
import { ALERTS, ALERTS_FOLDER, queriesInTemplates, RECORDED, RULES, readRules } from './rules-file.ts';
import { CANNOT } from './trouble-cases.ts';

const document = (name: string) => readFileSync(fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)), 'utf8');
const names = [...new Set(ALERTS.map((rule) => rule.alert))].sort();

it('every alert that operators were promised is there, and no other', () => {
  expect(names).toEqual(
    [
      'BGPPrefixVisibilityDrop',
      'BGPPrefixNotVisible',
      'BGPPrefixRegionNotVisible',
      'BGPPrefixUnexpectedOrigin',
      'BGPPrefixMultipleOrigins',
      'BGPPrefixUnexpectedUpstream',
      'BGPPrefixMoreSpecificAnnounced',
      'BGPPrefixRpkiInvalid',
      'BGPPrefixRpkiInvalidForeign',
      'BGPPrefixMoreSpecificRpkiInvalid',
      'BGPPrefixRpkiCoverLost',
      'BGPPrefixAspaInvalid',
      'BGPPrefixPathLeak',
      'BGPPrefixPathAnomaly',
      'BGPRpkiDataStale',
      'BGPRpkiSourceDown',
      'BGPRpkiDataShrunk',
      'BGPPrefixUpdateStorm',
      'BGPPrefixFlapping',
      'BGPPrefixPathLengthened',
      'BGPStreamDown',
      'BGPStreamStale',
      'BGPStreamDelayed',
      'BGPStreamDecodeFailures',
      'BGPTableNotSeeded',
      'BGPTableSourceNotSeeded',
      'BGPTableDrift',
      'BGPTableFullFeedUnusable',
      'BGPTableFull',
      'BGPTableSnapshotFailing',
      'BGPSubscriptionExpiring',
      'BGPSubscriptionReplaced',
      'BGPExporterDown',
      'BGPExporterUnstable',
      'BGPExporterConnectionsCut',
      'BGPExporterConfigRefused',
      'BGPFleetPartitionUnowned',
      'BGPFleetLagging',
      'BGPFleetStateStale',
      'BGPFleetSourceDown',
      'BGPFleetMemberOut',
      'BGPFleetUnreadable',
      'BGPIngestWriteFailing',
      'BGPOtlpExportFailing',
    ].sort(),
  );
  const severities = ALERTS.filter((rule) => rule.alert === 'BGPPrefixVisibilityDrop').map((r) => r.labels.severity);
  expect(severities.sort()).toEqual(['critical', 'warning']);
});

it('every rule is PromQL of today, and reads only what is exported or recorded', () => {
  for (const rule of RULES) expect(wrongNames(rule.expr, RECORDED)).toEqual([]);
  for (const rule of ALERTS) {
    for (const query of queriesInTemplates(rule)) expect(wrongNames(query, RECORDED)).toEqual([]);
  }
});

it('a name that nobody exports, a label that a metric has not, and broken PromQL are found', () => {
  expect(wrongNames('bgp_prefix_visible == 0', RECORDED)).toHaveLength(1);
  expect(wrongNames('bgp_stream_up{prefix="x"}', RECORDED)).toHaveLength(1);
  expect(wrongNames('sum by (prefix (bgp_stream_up)', RECORDED)).not.toEqual([]);
});

it("labels of the user's own keep exporters apart: no rule matches or groups by a list of the target's labels", () => {
  const lists = new Set<string>();
  for (const { expr } of RULES) {
    for (const [, labels] of expr.matchAll(/\b(?:on|by) \(([^)]*)\)/g)) lists.add(labels!);
  }
  // Settings are of a prefix or group, wherever it is watched; the other two ask for any exporter of the job.
  expect([...lists].sort()).toEqual(['group', 'job', 'job, prefix', 'prefix', 'prefix, more_specific']);
  for (const rule of ALERTS) {
    for (const query of queriesInTemplates(rule)) expect(query).not.toMatch(/job|instance/);
  }
});

it('recorded series are named level:metric:operation, and each is read by something', () => {
  const texts = [...RULES.map((rule) => rule.expr), ...ALERTS.flatMap((rule) => Object.values(rule.annotations))];
  for (const name of RECORDED) {
    expect(name).toMatch(/^bgp:[a-z0-9_]+:[a-z0-9_]+$/);
    expect(texts.filter((text) => text.includes(name)).length, name).toBeGreaterThan(0);
  }
});

/** Who serves the runbook: the exporter that the alert is of, or the first of a fleet. */
function serverOf(alert: string): string {
  if (!['BGPFleetPartitionUnowned', 'BGPFleetSourceDown'].includes(alert)) return '{{ $labels.instance }}';
  const of =
    '{{ $of := "" }}{{ range $name, $is := $labels }}{{ if not (match "^(__name__|afi|description|group|why)$" $name) }}{{ $of = printf "%s%s=%q," $of $name $is }}{{ end }}{{ end }}';
  return `${of}{{ with printf \`bgp_fleet_partitions{%s}\` $of | query }}{{ . | sortByLabel "instance" | first | label "instance" }}{{ end }}`;
}

describe.each(names)('%s', (name) => {
  const rules = ALERTS.filter((rule) => rule.alert === name);

  it('says how bad, what, with numbers and what to check first, and where to read on', () => {
    for (const rule of rules) {
      expect(['critical', 'warning']).toContain(rule.labels.severity);
      expect(rule.annotations.summary!.length).toBeGreaterThan(20);
      expect(rule.annotations.description).toMatch(/[Cc]heck first/);
      expect(rule.annotations.runbook_url).toBe(`http://${serverOf(name)}/runbook#${name.toLowerCase()}`);
      expect(rule.for).toBeDefined();
    }
  });

  it('has a section of the runbook and a line of the list, with its severity', () => {
    expect(document('runbook.md').match(new RegExp(`^## ${name}$`, 'gm'))).toHaveLength(1);
    for (const rule of rules) expect(document('alerts.md')).toContain(`| \`${name}\` | ${rule.labels.severity} |`);
  });

  it('is tested firing, not firing and resolving, and where it speaks of a prefix, while the exporter does not know', () => {
    const absence: Kind[] = ['quiet: stream down', 'quiet: stream stale', 'quiet: not seeded'];
    const presence: Kind[] = ['told: stream down', 'told: stream stale', 'told: not seeded'];
    const ofPrefix: Kind[] = [...(PRESENCE.includes(name) ? presence : absence), 'quiet: VPs lost', 'goes on'];
    const needed: Kind[] = ['firing', 'not firing', 'resolving', ...(name.startsWith('BGPPrefix') ? ofPrefix : [])];
    const has = ruleTests.filter((each) => each.alert === name).flatMap((each) => each.kinds);
    for (const kind of needed) expect(has).toContain(kind);
    // The whole text of each severity is compared once.
    for (const rule of rules) {
      const messages = ruleTests.filter((each) => each.alert === name).flatMap((each) => each.message ?? []);
      expect(messages.map((message) => message.severity)).toContain(rule.labels.severity);
    }
  });
});

/** A restart, a stream that is cut, a source that is silent, a clock that is set, the end of the window. */
describe.each(MISHAPS.map(({ name }) => name))('over %s', (mishap) => {
  it.each(ALERTS.map((rule) => [rule.alert!, rule.labels.severity!] as const))(
    '%s (%s) goes on, or it is written why there can be no case',
    (alert, severity) => {
      const cases = ruleTests.filter(
        (each) => each.alert === alert && each.kinds.includes('goes on') && each.mishap?.name === mishap,
      );
      // A case looks at one severity of the alert.
      const ofSeverity = cases.filter(({ values = [] }) =>
        values.some(({ expr }) => expr.includes(`severity="${severity}"`) && expr.includes('count_over_time')),
      );
      const why = CANNOT.get(alert)?.[mishap];
      expect([ofSeverity.length > 0, why !== undefined]).toEqual([why === undefined, why !== undefined]);
    },
  );
});

it('a reason why an alert cannot go on is of an alert and of a mishap that are there, and says it in words', () => {
  for (const [alert, reasons] of CANNOT) {
    expect(names).toContain(alert);
    expect(alert).not.toMatch(/^BGPPrefix/);
    for (const [mishap, why] of Object.entries(reasons)) {
      expect(MISHAPS.map(({ name }) => name)).toContain(mishap);
      expect(why.split(' ').length).toBeGreaterThan(5);
      for (const [named] of why.matchAll(/BGP\w+/g)) expect(names).toContain(named);
    }
  }
});

it('one documented line moves the runbook, in the rules and in the dashboard', () => {
  const [, from, to] = /^sed -i 's\|(\S+)\|(\S+)\|' bgproutes\.rules\.yml overview\.json$/m.exec(
    document('alerts.md'),
  )!;
  const move = (text: string): string => text.replace(new RegExp(from!), to!);
  for (const rule of ALERTS) {
    expect(move(rule.annotations.runbook_url!)).toBe(`${to}${rule.alert!.toLowerCase()}`);
  }
  const overview = readFileSync(
    fileURLToPath(new URL('../../dashboards/generated/overview.json', import.meta.url)),
    'utf8',
  );
  expect(overview.match(new RegExp(from!, 'g'))).toHaveLength(1);
  expect(move(overview)).toContain(`"${to}\${__value.raw}"`);
});

it('no link of what is shipped leads to a page that nobody has shown to be his', () => {
  const shipped = [ALERTS_FOLDER, fileURLToPath(new URL('../../dashboards/generated/', import.meta.url))].flatMap(
    (folder) =>
      readdirSync(folder)
        .filter((name) => /\.(?:yml|json)$/.test(name))
        .map((name) => readFileSync(`${folder}/${name}`, 'utf8')),
  );
  expect(shipped.length).toBeGreaterThan(5);
  const hosts = shipped.flatMap((text) => [...text.matchAll(/https?:\/\/([\w.-]+)/g)].map(([, host]) => host!));
  const nobodys = /^127\.0\.0\.1$|(?:^|\.)example\.(?:net|com|org)$/;
  expect([...new Set(hosts)].filter((host) => !nobodys.test(host))).toEqual([]);
});

/** Names in asterisks, as in *VPs by upstream*; at the start of a line they are headings. */
it('every panel that the runbook names is on a dashboard', () => {
  const titles = [...dashboards().values()].flatMap(({ panels = [] }) => panels.map(({ title }) => title));
  const [, sections] = /^(?:.|\n)*?\n(## (?:.|\n)*)$/.exec(document('runbook.md'))!;
  const named = [...sections!.matchAll(/(?<=[^\n*])\*([A-Z][^*]+)\*(?!\*)/g)].map(([, name]) => name!);
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((name) => !titles.includes(name.replaceAll('\n', ' ')))).toEqual([]);
});

it('every section of the runbook is of an alert', () => {
  const sections = [...document('runbook.md').matchAll(/^## (.+)$/gm)].map(([, title]) => title);
  expect(sections.sort()).toEqual(names);
});

it('the labels that a target must not have are all labels of the metrics', () => {
  const [, list] = /Give your targets none of the labels that the exporter's metrics have: ([^.]*)\./.exec(
    document('alerts.md'),
  )!;
  const named = [...list!.matchAll(/`([a-z_]+)`/g)].map(([, label]) => label!);
  expect(named).toEqual([...new Set(ownMetrics.flatMap(({ labels }) => labels))].sort());
});

it('the settings that rules read are those of the document, with their defaults', () => {
  const inRules = new Map<string, number>();
  for (const { record, expr } of RULES) {
    if (record?.endsWith(':threshold') !== true) continue;
    const settings = [...expr.matchAll(/setting="([a-z_]+)"/g)].map(([, setting]) => setting!);
    expect(new Set(settings).size, record).toBe(1);
    inRules.set(settings[0]!, Number(/or on \(prefix\) ([\d.]+) \*/.exec(expr)![1]));
  }
  const inDocument = [...document('alerts.md').matchAll(/^\| `([a-z_]+)` \| [^|]+ \| ([\d.]+) \|/gm)];
  expect(new Map(inDocument.map(([, setting, value]) => [setting!, Number(value)]))).toEqual(inRules);
  const example = readRules('thresholds.example.yml').groups.flatMap((group) => group.rules);
  for (const { record, labels } of example) {
    if (record === 'bgp:prefix:setting') expect([...inRules.keys()]).toContain(labels!.setting);
  }
});

it('Alertmanager: alerts are grouped by prefix, a group has a route; nothing silences what is there, or prefixes by a stream', () => {
  const config = parse(readFileSync(`${ALERTS_FOLDER}alertmanager.example.yml`, 'utf8')) as {
    route: { group_by: string[]; routes: { matchers: string[] }[] };
    inhibit_rules: { source_matchers: string[]; target_matchers: string[]; equal: string[] }[];
  };
  expect(config.route.group_by).toContain('prefix');
  expect(config.route.routes.some((route) => route.matchers.some((matcher) => matcher.startsWith('group=')))).toBe(
    true,
  );
  const matches = (matchers: readonly string[], alertname: string) =>
    matchers.every((matcher) => {
      const [, label, value] = /^(\w+)=~?"(.*)"$/.exec(matcher)!;
      return label !== 'alertname' || new RegExp(`^(?:${value})$`).test(alertname);
    });
  for (const { source_matchers: source, target_matchers: target, equal } of config.inhibit_rules) {
    for (const name of PRESENCE) expect(matches(target, name), name).toBe(false);
    const ofPrefix = names.filter((name) => name.startsWith('BGPPrefix'));
    if (!ofPrefix.some((name) => matches(target, name))) continue;
    expect(names.filter((name) => matches(source, name)).every((name) => ofPrefix.includes(name))).toBe(true);
    expect(equal).toEqual(expect.arrayContaining(['job', 'instance', 'prefix']));
  }
  // Every alert that a matcher names is one of ours.
  const text = readFileSync(`${ALERTS_FOLDER}alertmanager.example.yml`, 'utf8');
  for (const [, alternatives] of text.matchAll(/alertname=~?"([A-Za-z|]+)"/g)) {
    for (const name of alternatives!.split('|')) expect(names).toContain(name);
  }
});
