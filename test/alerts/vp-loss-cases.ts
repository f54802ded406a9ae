/** Alerts about a prefix while vantage points are lost. */
import { prefixMetrics as prefix } from '../../src/metrics/catalogue.ts';
import {
  AFTER,
  ALL,
  BEFORE,
  comingAndGoing,
  critical,
  DOWN,
  DURING,
  longer,
  region,
  seenBy,
  streamDown,
  updates,
  vpsLost,
  warning,
} from './events.ts';
import type { RuleTest } from './rule-test.ts';
import { counter, levels, of, visibility } from './world.ts';

/** Where what compares with the past would mislead: the event is made by the loss of VPs alone. */
export const vpLossTests: readonly RuleTest[] = [
  {
    alert: 'BGPPrefixNotVisible',
    kinds: ['quiet: VPs lost'],
    name: 'every VP that saw the prefix is down: nobody is left who could see it',
    minutes: ALL,
    changes: {
      [of.prefix(prefix.prefixVpLosses.name, { reason: 'vp_down' })]: levels([0, BEFORE], [60, DURING + AFTER]),
      ...visibility({ minutes: BEFORE, seen: 60, expected: 60 }, { minutes: DURING + AFTER, seen: 0, expected: 0 }),
    },
    checks: [BEFORE + 5, BEFORE + DURING, ALL - 1].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPPrefixNotVisible',
    kinds: ['firing'],
    name: 'VPs go down, but those that stay say that the prefix is gone',
    minutes: ALL,
    changes: {
      [of.prefix(prefix.prefixVpLosses.name, { reason: 'vp_down' })]: levels([0, BEFORE], [20, DURING + AFTER]),
      [of.prefix(prefix.prefixVpLosses.name, { reason: 'withdrawn' })]: levels([0, BEFORE], [40, DURING + AFTER]),
      ...visibility({ minutes: BEFORE, seen: 60, expected: 60 }, { minutes: DURING + AFTER, seen: 0, expected: 40 }),
    },
    checks: [{ at: BEFORE + 5, firing: [critical('BGPPrefixNotVisible')] }],
  },
  {
    alert: 'BGPPrefixNotVisible',
    kinds: ['firing'],
    name: 'a prefix that nobody has seen for a day, or ever, is not visible',
    minutes: ALL,
    changes: visibility({ minutes: ALL, seen: 0, expected: 0 }),
    checks: [{ at: BEFORE, firing: [critical('BGPPrefixNotVisible')] }],
  },
  {
    alert: 'BGPPrefixRegionNotVisible',
    kinds: ['quiet: VPs lost'],
    name: 'the VPs of the region go down themselves, and those that stay there see less',
    minutes: ALL,
    changes: {
      [of.prefix(prefix.prefixVpLosses.name, { reason: 'vp_down' })]: levels([0, BEFORE], [20, DURING + AFTER]),
      ...visibility({ minutes: BEFORE, seen: 60, expected: 60 }, { minutes: DURING + AFTER, seen: 37, expected: 40 }),
      ...region(
        'africa',
        [
          [5, BEFORE],
          [0, DURING + AFTER],
        ],
        [
          [5, BEFORE],
          [0, DURING + AFTER],
        ],
      ),
      ...region(
        'asia',
        [
          [18, BEFORE],
          [0, DURING],
          [3, AFTER],
        ],
        [
          [18, BEFORE],
          [3, DURING + AFTER],
        ],
      ),
    },
    checks: [BEFORE + 7, BEFORE + DURING - 1, ALL - 1].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPPrefixVisibilityDrop',
    kinds: ['quiet: VPs lost'],
    name: 'the VPs that stay see less than those that went',
    minutes: ALL,
    changes: {
      [of.prefix(prefix.prefixVpLosses.name, { reason: 'vp_down' })]: levels([0, BEFORE], [40, DURING + AFTER]),
      ...visibility({ minutes: BEFORE, seen: 60, expected: 60 }, { minutes: DURING + AFTER, seen: 8, expected: 20 }),
    },
    checks: [BEFORE + 3, BEFORE + 10, BEFORE + 29].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPPrefixPathLengthened',
    kinds: ['quiet: VPs lost'],
    name: 'the VPs that stay are farther away',
    minutes: ALL,
    changes: {
      ...vpsLost,
      ...visibility({ minutes: BEFORE, seen: 60, expected: 60 }, { minutes: DURING + AFTER, seen: 10, expected: 10 }),
      ...longer(6),
    },
    checks: [BEFORE + 11, BEFORE + 29].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPPrefixUpdateStorm',
    kinds: ['quiet: VPs lost'],
    name: 'VPs go down and come back, and tell all they know',
    minutes: ALL,
    changes: { ...vpsLost, ...updates(600, 0) },
    checks: [BEFORE + 13, BEFORE + 29].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPPrefixFlapping',
    kinds: ['quiet: VPs lost'],
    name: 'VPs come and go themselves',
    minutes: ALL,
    changes: {
      ...comingAndGoing(12),
      [of.prefix(prefix.prefixVpLosses.name, { reason: 'vp_down' })]: counter([0, BEFORE], [12, DURING], [0, AFTER]),
    },
    checks: [BEFORE + 18, BEFORE + 29].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPPrefixNotVisible',
    kinds: ['quiet: stream down'],
    name: 'it fired when the stream went down: it goes on',
    minutes: ALL,
    changes: { ...seenBy(0), ...streamDown(BEFORE + 10, ALL) },
    checks: [BEFORE + 12, BEFORE + 16, BEFORE + DURING + 10, ALL - 1].map((at) => ({
      at,
      firing: [
        critical('BGPPrefixNotVisible'),
        critical('BGPPrefixVisibilityDrop'),
        warning('BGPPrefixVisibilityDrop'),
        DOWN,
      ],
    })),
  },
];

/** The same where a whole source ended, and with it the VPs that only it delivers. */
export const sourceLossTests: readonly RuleTest[] = vpLossTests
  .filter(({ kinds }) => kinds.includes('quiet: VPs lost'))
  .map(({ changes, name, ...rest }) => ({
    ...rest,
    name: `${name} (their source ended)`,
    changes: Object.fromEntries(
      Object.entries(changes ?? {}).map(([series, values]) => [series.replace('"vp_down"', '"source_down"'), values]),
    ),
  }));
