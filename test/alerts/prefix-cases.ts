/** Alerts about a prefix. */
import {
  prefixMetrics as prefix,
  streamMetrics as stream,
  tableMetrics as table,
} from '../../src/metrics/catalogue.ts';
import {
  AFTER,
  ALL,
  BEFORE,
  DOWN,
  DURING,
  later,
  PRESENCE,
  STALE,
  streamDown,
  UNSEEDED,
  untrusted,
  vpsLost,
  warning,
} from './events.ts';
import { prefixEvents } from './prefix-events.ts';
import type { Fired, RuleTest } from './rule-test.ts';
import { INSTANCE, JOB, levels, OURS, of, visibility, type World } from './world.ts';

const OURS_LABELS = { job: JOB, instance: INSTANCE, prefix: OURS, afi: 'ipv4', group: 'core', description: 'office' };

function notSeeded(from: number, minutes: number): World {
  return { [of.exporter(table.tableSeeded.name)]: levels([1, from], [0, minutes - from]), ...untrusted(from, minutes) };
}

/** A canary that was heard until `from`. */
function canaryLost(from: number, minutes: number): World {
  return {
    [of.session(stream.streamCanaryTimestamp.name)]: `0+60x${from - 1} ${levels([(from - 1) * 60, minutes - from])}`,
  };
}

export const prefixTests: readonly RuleTest[] = prefixEvents.flatMap((e): RuleTest[] => {
  const fired: Fired = { alertname: e.alert, severity: e.severity, ...(e.labels ?? { prefix: OURS }) };
  const beside = e.beside ?? [];
  const drop = e.alert === 'BGPPrefixVisibilityDrop' || e.alert === 'BGPPrefixNotVisible';
  const alsoWarning = drop && e.severity === 'critical' ? [warning('BGPPrefixVisibilityDrop')] : [];
  /** What is there is there, whatever the exporter does not know. */
  const presence = PRESENCE.includes(e.alert);
  const told = presence ? [fired] : [];
  const tests: RuleTest[] = [
    {
      alert: e.alert,
      kinds: ['firing', 'resolving'],
      name: `${e.severity}: fires during the event and resolves after it; the other prefix is left alone`,
      minutes: ALL,
      changes: e.event,
      checks: [
        { at: BEFORE - 1, firing: [] },
        { at: BEFORE + e.notYet, firing: [] },
        { at: BEFORE + e.fires, firing: [fired, ...beside] },
        { at: BEFORE + DURING - 1, firing: [fired, ...beside, ...alsoWarning] },
        { at: BEFORE + DURING + e.kept, firing: [fired, ...beside, ...alsoWarning] },
        { at: BEFORE + DURING + e.gone, firing: [] },
        { at: ALL - 1, firing: [] },
      ],
      message: [
        {
          at: e.messageAt ?? BEFORE + e.fires,
          severity: e.severity,
          labels: { ...OURS_LABELS, ...e.labels },
          summary: e.summary,
          description: e.description,
        },
      ],
    },
    ...e.notFiring.map(
      ({ name, changes, others = [] }): RuleTest => ({
        alert: e.alert,
        kinds: ['not firing'],
        name: `${e.severity}: ${name}`,
        minutes: ALL,
        changes,
        checks: [
          { at: BEFORE, firing: [] },
          { at: BEFORE + 10, firing: others },
          { at: BEFORE + DURING - 1, firing: others },
          { at: ALL - 1, firing: [] },
        ],
      }),
    ),
    {
      alert: e.alert,
      kinds: [presence ? 'told: stream down' : 'quiet: stream down'],
      name: `${e.severity}: the event happens while the stream is down`,
      minutes: ALL,
      changes: { ...e.event, ...streamDown(BEFORE, ALL) },
      checks: [
        { at: BEFORE + e.notYet, firing: e.notYet >= 3 ? [DOWN] : [] },
        { at: BEFORE + e.fires + 3, firing: [...told, DOWN] },
        { at: BEFORE + 29, firing: [...told, DOWN] },
        { at: ALL - 1, firing: [DOWN] },
      ],
    },
    {
      alert: e.alert,
      kinds: [presence ? 'told: not seeded' : 'quiet: not seeded'],
      name: `${e.severity}: the event is seen by a table that is not seeded`,
      minutes: ALL,
      changes: { ...e.event, ...notSeeded(BEFORE, ALL) },
      checks: [
        { at: BEFORE + 10, firing: told },
        { at: BEFORE + 29, firing: [...told, UNSEEDED] },
        { at: ALL - 1, firing: [UNSEEDED] },
      ],
    },
    {
      alert: e.alert,
      kinds: [presence ? 'told: stream stale' : 'quiet: stream stale'],
      name: `${e.severity}: the event happens while the stream is stale`,
      minutes: 160 + ALL,
      changes: { ...later(e.event, 160), ...canaryLost(40, 160 + ALL) },
      checks: [
        { at: 160 + BEFORE + 10, firing: [...told, STALE] },
        { at: 160 + BEFORE + 29, firing: [...told, STALE] },
        { at: 160 + ALL - 1, firing: [STALE] },
      ],
    },
    {
      alert: e.alert,
      kinds: ['quiet: VPs lost'],
      name: `${e.severity}: the VPs go down, not the prefix`,
      minutes: ALL,
      changes: {
        ...vpsLost,
        ...visibility({ minutes: BEFORE, seen: 60, expected: 60 }, { minutes: DURING + AFTER, seen: 10, expected: 10 }),
        [of.prefix(prefix.prefixUpstreamVps.name, { upstream_as: '64510' })]: levels(
          [40, BEFORE],
          [10, DURING + AFTER],
        ),
        [of.prefix(prefix.prefixUpstreamVps.name, { upstream_as: '64511' })]: levels([20, BEFORE], [0, DURING + AFTER]),
      },
      checks: [BEFORE + 1, BEFORE + 12, BEFORE + DURING - 1, ALL - 1].map((at) => ({ at, firing: [] })),
    },
  ];
  return tests;
});
