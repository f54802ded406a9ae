/** Alerts about the RPKI. */
import { rpkiMetrics as rpki } from '../../src/metrics/catalogue.ts';
import { AFTER, ALL, BEFORE, DURING, during, EXPORTER_LABELS, warning } from './events.ts';
import type { RuleTest } from './rule-test.ts';
import { INSTANCE, levels, of, type Steps, type World } from './world.ts';

const rpkiSource = { rpki_source: '0' };

const ripe = { ...rpkiSource, ta: 'ripe' };

const rpkiVrps = (ta: string, ...steps: Steps): World => ({
  [of.exporter(rpki.rpkiUp.name, rpkiSource)]: levels([1, ALL]),
  [of.exporter(rpki.rpkiVrps.name, { ...rpkiSource, ta })]: levels(...steps),
});

export const rpkiTests: readonly RuleTest[] = [
  {
    alert: 'BGPRpkiDataStale',
    kinds: ['firing', 'resolving'],
    name: 'no source has fresh data for half an hour',
    minutes: ALL,
    changes: during(of.exporter(rpki.rpkiUsable.name), 1, 0),
    checks: [
      { at: BEFORE + 14, firing: [] },
      { at: BEFORE + 16, firing: [warning('BGPRpkiDataStale', {})] },
      { at: BEFORE + DURING + 6, firing: [] },
    ],
    message: [
      {
        at: BEFORE + 16,
        severity: 'warning',
        labels: EXPORTER_LABELS,
        summary: `${INSTANCE} has no validated RPKI data that is fresh enough`,
        description:
          'For 15 minutes no source has had data that is younger than rpki.max_age. Meanwhile there are no verdicts, and no alert about RPKI or ASPA can fire. ' +
          'Check first whether your validator still runs and validates: bgp_rpki_data_timestamp_seconds says when it last did, bgp_rpki_updates_total how reading it went.',
      },
    ],
  },
  {
    alert: 'BGPRpkiDataStale',
    kinds: ['not firing'],
    name: 'ten minutes after a start, before the first data',
    minutes: ALL,
    changes: { [of.exporter(rpki.rpkiUsable.name)]: levels([0, 10], [1, ALL - 10]) },
    checks: [9, 20, ALL - 1].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPRpkiSourceDown',
    kinds: ['firing', 'resolving'],
    name: 'the validator is away for an hour',
    minutes: ALL + 30,
    changes: { [of.exporter(rpki.rpkiUp.name, rpkiSource)]: levels([1, 30], [0, 60], [1, 60]) },
    checks: [
      { at: 30 + 29, firing: [] },
      { at: 30 + 31, firing: [warning('BGPRpkiSourceDown', {})] },
      { at: 90 + 6, firing: [] },
    ],
    message: [
      {
        at: 30 + 31,
        severity: 'warning',
        labels: { ...EXPORTER_LABELS, ...rpkiSource },
        summary: `Source 0 of validated RPKI data of ${INSTANCE} cannot be read`,
        description:
          'For 30 minutes no attempt to read it gave data. Meanwhile its old data is used until it is too old, or the data of another source. ' +
          "Check first the result of the attempts (bgp_rpki_updates_total by result), and the reason in the exporter's log.",
      },
    ],
  },
  {
    alert: 'BGPRpkiSourceDown',
    kinds: ['not firing'],
    name: 'it is away for a quarter of an hour',
    minutes: ALL,
    changes: { [of.exporter(rpki.rpkiUp.name, rpkiSource)]: levels([1, BEFORE], [0, 15], [1, ALL - BEFORE - 15]) },
    checks: [BEFORE + 14, BEFORE + 20, ALL - 1].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPRpkiDataShrunk',
    kinds: ['firing', 'resolving'],
    name: 'a trust anchor loses a third of its VRPs for half an hour',
    minutes: ALL,
    changes: rpkiVrps('ripe', [1_000, BEFORE], [667, DURING], [1_000, AFTER]),
    checks: [
      { at: BEFORE + 4, firing: [] },
      { at: BEFORE + 6, firing: [warning('BGPRpkiDataShrunk', {})] },
      { at: BEFORE + DURING + 6, firing: [] },
    ],
    message: [
      {
        at: BEFORE + 6,
        severity: 'warning',
        labels: { ...EXPORTER_LABELS, ...ripe },
        summary: `33.3% of the VRPs of ripe are gone (source 0 of ${INSTANCE})`,
        description:
          '33.3% of the VRPs that the trust anchor ripe had within the last hour are missing. Routes become not_found by this, perhaps yours too, although hardly anybody has changed a ROA. ' +
          'Check first the log of your validator for that trust anchor, and another validator: most often a repository cannot be reached.',
      },
    ],
  },
  {
    alert: 'BGPRpkiDataShrunk',
    kinds: ['firing'],
    name: 'a trust anchor has none any more, and so no series',
    minutes: ALL,
    changes: rpkiVrps('ripe', [1_000, BEFORE], ['stale', 1]),
    checks: [{ at: BEFORE + 8, firing: [warning('BGPRpkiDataShrunk', {})] }],
  },
  ...(
    [
      ['a tenth is lost', rpkiVrps('ripe', [1_000, BEFORE], [900, DURING + AFTER])],
      ['AFRINIC flaps by two fifths', rpkiVrps('afrinic', [1_000, BEFORE], [600, DURING + AFTER])],
      [
        'the source is away: what it has is not known',
        {
          [of.exporter(rpki.rpkiUp.name, rpkiSource)]: levels([1, BEFORE], ['stale', 1]),
          [of.exporter(rpki.rpkiVrps.name, ripe)]: levels([1_000, BEFORE], ['stale', 1]),
        },
      ],
    ] as const
  ).map(
    ([name, changes]): RuleTest => ({
      alert: 'BGPRpkiDataShrunk',
      kinds: ['not firing'],
      name,
      minutes: ALL,
      changes,
      checks: [BEFORE + 10, BEFORE + DURING, ALL - 1].map((at) => ({ at, firing: [] })),
    }),
  ),
];
