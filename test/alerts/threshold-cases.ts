/** Alerts with limits of the operator. */
import { prefixMetrics as prefix } from '../../src/metrics/catalogue.ts';
import { ALL, BEFORE, moreSpecific, seenBy, unexpectedOrigin, warning } from './events.ts';
import type { RuleTest } from './rule-test.ts';
import { levels, of } from './world.ts';

/** alerts/thresholds.example.yml is what these read; it sets one limit of each kind. */
const THRESHOLDS = ['thresholds.example.yml'];

export const thresholdTests: readonly RuleTest[] = [
  {
    alert: 'BGPPrefixUnexpectedOrigin',
    kinds: ['not firing'],
    name: "the group's setting (25 VPs) holds for its prefixes",
    minutes: ALL,
    changes: unexpectedOrigin(12),
    checks: [{ at: BEFORE + 10, firing: [] }],
    ruleFiles: THRESHOLDS,
  },
  {
    alert: 'BGPPrefixVisibilityDrop',
    kinds: ['firing'],
    name: "the prefix's setting (5 %) goes before its group's (40 %)",
    minutes: ALL,
    changes: seenBy(54),
    checks: [{ at: BEFORE + 10, firing: [warning('BGPPrefixVisibilityDrop')] }],
    ruleFiles: THRESHOLDS,
  },
  {
    alert: 'BGPPrefixNotVisible',
    kinds: ['not firing'],
    name: 'a floor below 0 turns it off, for a prefix that is dark on purpose',
    minutes: ALL,
    changes: {
      [of.prefix(prefix.prefixInfo.name, { prefix: '198.51.100.0/24', afi: 'ipv4' })]: levels([1, ALL]),
      [of.prefix(prefix.prefixVisibleVps.name, { prefix: '198.51.100.0/24' })]: levels([0, ALL]),
      [of.prefix(prefix.prefixExpectedVps.name, { prefix: '198.51.100.0/24' })]: levels([0, ALL]),
    },
    checks: [{ at: BEFORE, firing: [] }],
    ruleFiles: THRESHOLDS,
  },
  {
    alert: 'BGPPrefixMoreSpecificAnnounced',
    kinds: ['not firing'],
    name: 'a more-specific that is listed as expected',
    minutes: ALL,
    changes: moreSpecific(30),
    checks: [{ at: BEFORE + 10, firing: [] }],
    ruleFiles: THRESHOLDS,
  },
];
