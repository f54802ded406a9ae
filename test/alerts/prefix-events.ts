/** What may happen to a prefix, and the alerts about it. */
import {
  legitimacyMetrics as legitimacy,
  prefixMetrics as prefix,
  rpkiMetrics as rpki,
} from '../../src/metrics/catalogue.ts';
import {
  AFTER,
  ALL,
  BEFORE,
  comingAndGoing,
  critical,
  DURING,
  during,
  found,
  longer,
  moreSpecific,
  region,
  seenBy,
  unexpectedOrigin,
  updates,
  warning,
} from './events.ts';
import type { PrefixEvent } from './rule-test.ts';
import { counter, levels, OURS, of, visibility, type World } from './world.ts';

const twoOrigins = (vps: number): World => ({
  [of.prefix(prefix.prefixUnexpectedOriginVps.name)]: '',
  ...during(of.prefix(prefix.prefixOriginVps.name, { origin_as: '64500' }), 60, 60 - vps),
  [of.prefix(prefix.prefixOriginVps.name, { origin_as: '64666' })]: levels(['_', BEFORE], [vps, DURING], ['stale', 1]),
});

const unexpectedUpstream = (vps: number): World => ({
  ...during(of.prefix(prefix.prefixUnexpectedUpstreamVps.name), 0, vps),
  ...during(of.prefix(prefix.prefixUpstreamVps.name, { upstream_as: '64510' }), 40, 40 - vps),
  [of.prefix(prefix.prefixUpstreamVps.name, { upstream_as: '64777' })]: levels(
    ['_', BEFORE],
    [vps, DURING],
    ['stale', 1],
  ),
});

/** VPs on an origin that the RPKI calls invalid. Where it is configured, it is the only one. */
const rpkiInvalid = (vps: number, expected: 'true' | ''): World => ({
  ...(expected === '' && during(of.prefix(prefix.prefixOriginVps.name, { origin_as: '64500' }), 60, 60 - vps)),
  [of.prefix(prefix.prefixOriginVps.name, { origin_as: '64666' })]: levels(['_', BEFORE], [vps, DURING], ['stale', 1]),
  [of.prefix(prefix.prefixUnexpectedOriginVps.name)]: expected === '' ? '' : levels([0, ALL]),
  [of.prefix(legitimacy.prefixOriginRpkiInfo.name, { origin_as: '64666', validity: 'invalid_as', expected })]: levels(
    ['_', BEFORE],
    [1, DURING],
    ['stale', 1],
  ),
});

/** The prefix loses its VRPs; those of the trust anchor become `left` of 1,000. */
const coverLost = (left: number): World => ({
  ...during(of.prefix(legitimacy.prefixCoveringVrps.name), 2, 0),
  [of.exporter(rpki.rpkiUp.name, { rpki_source: '0' })]: levels([1, ALL]),
  [of.exporter(rpki.rpkiVrps.name, { rpki_source: '0', ta: 'ripe' })]: levels(
    [1_000, BEFORE],
    [left, DURING],
    [1_000, AFTER],
  ),
});

/** The VPs of Africa, of which `seen` see the prefix during the event. */
const fromAfrica = (seen: number, expected = 5): World => ({
  ...region(
    'africa',
    [
      [expected, BEFORE],
      [seen, DURING],
      [expected, AFTER],
    ],
    [[expected, ALL]],
  ),
  ...region('europe', [[60 - expected, ALL]], [[60 - expected, ALL]]),
});

export const prefixEvents: readonly PrefixEvent[] = [
  {
    alert: 'BGPPrefixNotVisible',
    severity: 'critical',
    event: seenBy(0),
    notYet: 1,
    fires: 3,
    kept: 4,
    gone: 6,
    beside: [critical('BGPPrefixVisibilityDrop')],
    notFiring: [
      {
        name: 'one VP in ten still sees it: a drop',
        changes: seenBy(6),
        others: [critical('BGPPrefixVisibilityDrop'), warning('BGPPrefixVisibilityDrop')],
      },
    ],
    summary: `${OURS} is not visible (office)`,
    description:
      `0 of 60 expected vantage points see ${OURS} (0%; a day's usual level: 100%). ` +
      'Check first whether your routers still announce it, and to whom; then the sessions with your upstreams.',
  },
  {
    alert: 'BGPPrefixRegionNotVisible',
    severity: 'warning',
    labels: { prefix: OURS, region: 'africa' },
    event: fromAfrica(0),
    notYet: 4,
    fires: 6,
    kept: 4,
    gone: 6,
    notFiring: [
      { name: 'one of five VPs there still sees it', changes: fromAfrica(1) },
      { name: 'two VPs there lost it: too few to tell', changes: fromAfrica(0, 2) },
      {
        name: 'nobody knows where the VPs are that lost it',
        changes: region(
          'unknown',
          [
            [5, BEFORE],
            [0, DURING],
            [5, AFTER],
          ],
          [[5, ALL]],
        ),
      },
      {
        name: 'a region from which nobody has ever seen it',
        changes: region('oceania', [[0, ALL]], [[0, ALL]]),
      },
      {
        name: 'nobody sees it anywhere, which is another alert',
        changes: { ...seenBy(0), ...fromAfrica(0) },
        others: [
          critical('BGPPrefixNotVisible'),
          critical('BGPPrefixVisibilityDrop'),
          warning('BGPPrefixVisibilityDrop'),
        ],
      },
    ],
    summary: `${OURS} is not visible from africa (office)`,
    description:
      `0 vantage points in africa see ${OURS}; three at least did within the window. Others see it: a part of the Internet has lost it. ` +
      'Check first which of your upstreams and peerings serve that region (panel "VPs by region" of the Prefix dashboard): an anycast site, an export filter or a community that holds the route back there.',
  },
  {
    alert: 'BGPPrefixVisibilityDrop',
    severity: 'critical',
    event: seenBy(24),
    notYet: 1,
    fires: 3,
    kept: 4,
    gone: 6,
    notFiring: [
      { name: 'a tenth is lost', changes: seenBy(54) },
      { name: 'two of four VPs are lost: too few to tell', changes: seenBy(2, 4) },
      {
        name: 'seen by two fifths, as ever',
        changes: visibility({ minutes: ALL, seen: 24, expected: 60 }),
      },
    ],
    summary: `Visibility of ${OURS} fell to 40% (office)`,
    description:
      `24 of 60 expected vantage points see ${OURS}: 40%, where 100% is usual for a day. ` +
      'Check first which upstream lost it (panel "VPs by upstream" of the Prefix dashboard), and the session with that upstream.',
  },
  {
    alert: 'BGPPrefixVisibilityDrop',
    severity: 'warning',
    event: seenBy(42),
    notYet: 4,
    fires: 6,
    kept: 4,
    gone: 6,
    notFiring: [{ name: 'a sixth is lost', changes: seenBy(50) }],
    summary: `Visibility of ${OURS} fell to 70% (office)`,
    description:
      `42 of 60 expected vantage points see ${OURS}: 70%, where 100% is usual for a day. ` +
      'Check first which upstream lost it (panel "VPs by upstream" of the Prefix dashboard), and the session with that upstream.',
  },
  {
    alert: 'BGPPrefixUnexpectedOrigin',
    severity: 'critical',
    event: unexpectedOrigin(12),
    notYet: 0,
    fires: 2,
    kept: 4,
    gone: 6,
    notFiring: [{ name: 'one VP alone says so', changes: unexpectedOrigin(1) }],
    summary: `${OURS} is announced by an AS that is not yours, seen by 12 vantage points (office)`,
    description:
      '12 of 60 vantage points hold a route from an origin that is not configured. Origins now: AS64500 (48) AS64666 (12). ' +
      "Check first whether that AS is yours, a customer's or a DDoS mitigation's and only missing in the configuration; otherwise it is a hijack or a leak: act on it.",
  },
  {
    alert: 'BGPPrefixMultipleOrigins',
    severity: 'warning',
    event: twoOrigins(12),
    notYet: 4,
    fires: 6,
    kept: 4,
    gone: 6,
    notFiring: [
      { name: 'one VP alone says so', changes: twoOrigins(1) },
      {
        name: 'origins are configured, and both are expected',
        changes: { ...twoOrigins(12), [of.prefix(prefix.prefixUnexpectedOriginVps.name)]: levels([0, ALL]) },
      },
    ],
    summary: `${OURS} is announced by 2 origins (office)`,
    description:
      'Origins now: AS64500 (48 vantage points) AS64666 (12 vantage points). No origins are configured for this prefix, so the exporter cannot know which is right. ' +
      'Check first whether all of them are meant; then configure them as `origins`, and only strangers will alert.',
  },
  {
    alert: 'BGPPrefixUnexpectedUpstream',
    severity: 'warning',
    event: unexpectedUpstream(9),
    notYet: 4,
    fires: 6,
    kept: 4,
    gone: 6,
    notFiring: [{ name: 'one VP alone says so', changes: unexpectedUpstream(1) }],
    summary: `${OURS} is reached through an upstream that is not configured, by 9 vantage points (office)`,
    description:
      '9 of 60 vantage points reach the origin through an AS that is not configured. Largest upstreams now: AS64510 (31) AS64511 (20) AS64777 (9). ' +
      'Check first for a new peering of yours that is missing in the configuration; else for a route leak, or a hijack that forges your AS as origin.',
  },
  {
    alert: 'BGPPrefixRpkiInvalid',
    severity: 'critical',
    event: rpkiInvalid(12, 'true'),
    notYet: 1,
    fires: 3,
    kept: 4,
    gone: 6,
    notFiring: [{ name: 'one VP alone says so', changes: rpkiInvalid(1, 'true') }],
    summary: `Your own announcement of ${OURS} is RPKI invalid, seen by 12 vantage points (office)`,
    description:
      '12 vantage points hold a route from an origin that you configured, and that the RPKI calls invalid: networks that validate drop it. Invalid now: AS64666 (invalid_as). ' +
      'Check first which ROA covers the prefix, and whether its AS (invalid_as) and longest length (invalid_length) fit what you announce.',
  },
  {
    alert: 'BGPPrefixRpkiInvalidForeign',
    severity: 'warning',
    event: { ...rpkiInvalid(12, ''), [of.prefix(prefix.prefixUnexpectedOriginVps.name)]: levels([0, ALL]) },
    notYet: 1,
    fires: 3,
    kept: 4,
    gone: 6,
    notFiring: [{ name: 'one VP alone says so', changes: rpkiInvalid(1, '') }],
    summary: `${OURS} is announced by an origin that the RPKI calls invalid, seen by 12 vantage points (office)`,
    description:
      '12 vantage points hold a route from an origin that is not configured, and that no ROA allows. Invalid now: AS64666 (12). ' +
      "Check first whether that AS is yours, a customer's or a DDoS mitigation's and lacks a ROA; otherwise it is a hijack or a leak: act on it.",
  },
  {
    alert: 'BGPPrefixMoreSpecificRpkiInvalid',
    severity: 'critical',
    event: { ...found(legitimacy.prefixMoreSpecificRpkiVps, { validity: 'invalid_length' }, 7), ...moreSpecific(1) },
    notYet: 1,
    fires: 3,
    kept: 4,
    gone: 6,
    notFiring: [
      {
        name: 'one VP alone says so',
        changes: found(legitimacy.prefixMoreSpecificRpkiVps, { validity: 'invalid_as' }, 1),
      },
      { name: 'no ROA covers it', changes: found(legitimacy.prefixMoreSpecificRpkiVps, { validity: 'not_found' }, 7) },
    ],
    summary: `A more-specific of ${OURS} is RPKI invalid, 7 routes of it are seen (office)`,
    description:
      `7 routes for prefixes inside ${OURS} are held, and no ROA allows their origin for a prefix of this length. Networks that do not validate send that part of the traffic there. More-specifics now, valid ones too: 192.0.2.128/25 (1 vantage points). ` +
      `Check first who originates it (bgproutes-exporter rib --prefix=${OURS} --more-specifics): your own traffic engineering beyond the longest length of your ROA, or a hijack of a part.`,
  },
  {
    alert: 'BGPPrefixRpkiCoverLost',
    severity: 'warning',
    event: coverLost(999),
    notYet: 9,
    fires: 11,
    kept: 4,
    gone: 6,
    notFiring: [
      { name: 'it never had a ROA', changes: during(of.prefix(legitimacy.prefixCoveringVrps.name), 0, 0) },
      {
        name: 'the trust anchor lost a third of its VRPs',
        changes: coverLost(667),
        others: [warning('BGPRpkiDataShrunk', {})],
      },
      {
        name: 'old data says nothing',
        changes: { [of.prefix(legitimacy.prefixCoveringVrps.name)]: levels([2, BEFORE], ['stale', 1]) },
      },
    ],
    summary: `${OURS} has lost its ROA (office)`,
    description:
      `No VRP covers ${OURS} now; within the last day 2 did. Origin validation protects it no longer; what you announce stays reachable. ` +
      'Check first whether the ROA was deleted or has expired at your registry; then whether your validator alone does not see it.',
  },
  {
    alert: 'BGPPrefixAspaInvalid',
    severity: 'warning',
    event: found(legitimacy.prefixAspaVps, { verdict: 'invalid' }, 9),
    notYet: 4,
    fires: 6,
    kept: 4,
    gone: 6,
    notFiring: [
      { name: 'one VP alone says so', changes: found(legitimacy.prefixAspaVps, { verdict: 'invalid' }, 1) },
      { name: 'nothing is known of the path', changes: found(legitimacy.prefixAspaVps, { verdict: 'unknown' }, 9) },
    ],
    summary: `Paths to ${OURS} are invalid by ASPA, seen by 9 vantage points (office)`,
    description:
      '9 vantage points hold a path in which an AS hands on a route to somebody who is not its provider, by the ASPAs of the ASes on it. ' +
      'Check first whether your own ASPA lists all of your providers; otherwise somebody leaks the route.',
  },
  {
    alert: 'BGPPrefixPathLeak',
    severity: 'warning',
    event: found(legitimacy.prefixPathAnomalyVps, { anomaly: 'valley' }, 9),
    notYet: 4,
    fires: 6,
    kept: 4,
    gone: 6,
    notFiring: [
      { name: 'one VP alone says so', changes: found(legitimacy.prefixPathAnomalyVps, { anomaly: 'valley' }, 1) },
    ],
    summary: `A path to ${OURS} goes down and up again between transit-free networks, seen by 9 vantage points (office)`,
    description:
      '9 vantage points hold a path in which another AS stands between two transit-free ones: a route leak. ' +
      'Check first which AS stands there (command rib): your customer or upstream with a lost export filter, or a network to list in paths.allowed.',
  },
  {
    alert: 'BGPPrefixPathAnomaly',
    severity: 'warning',
    event: found(legitimacy.prefixPathAnomalyVps, { anomaly: 'private_as' }, 9),
    notYet: 9,
    fires: 11,
    kept: 4,
    gone: 6,
    notFiring: [
      { name: 'one VP alone says so', changes: found(legitimacy.prefixPathAnomalyVps, { anomaly: 'loop' }, 1) },
    ],
    summary: `Paths to ${OURS} hold what no public path should, seen by 9 vantage points (office)`,
    description:
      '9 vantage points hold a path with a loop, a private, reserved or documentation AS, AS 0 or 23456, an AS_SET or a confederation. Now: private_as (9). ' +
      'Check first whether your own routers strip private ASes and confederations.',
  },
  {
    alert: 'BGPPrefixMoreSpecificAnnounced',
    severity: 'warning',
    labels: { prefix: OURS, more_specific: '192.0.2.128/25' },
    event: moreSpecific(7),
    notYet: 1,
    fires: 3,
    kept: 4,
    gone: 6,
    notFiring: [{ name: 'one VP alone says so', changes: moreSpecific(1) }],
    summary: `192.0.2.128/25, inside ${OURS}, is announced, seen by 7 vantage points (office)`,
    description:
      `7 vantage points hold a route for 192.0.2.128/25; it takes the traffic of that part of ${OURS} from whoever announces the whole. ` +
      'Check first whether it is your own (traffic engineering, DDoS mitigation) and then list it as expected; otherwise it is a hijack of a part: act on it.',
  },
  {
    alert: 'BGPPrefixUpdateStorm',
    severity: 'warning',
    event: updates(600, 0),
    notYet: 9,
    fires: 13,
    kept: 6,
    gone: 11,
    notFiring: [
      { name: 'a storm of repeats is no news', changes: updates(1, 600) },
      { name: 'ten times a very small number is a small number', changes: updates(15, 0) },
      {
        name: 'a prefix that is always restless',
        changes: { [of.prefix(prefix.prefixAnnouncements.name)]: counter([400, BEFORE], [800, DURING], [400, AFTER]) },
      },
    ],
    summary: `${OURS}: 10 changes a second (office)`,
    description:
      `For 10 minutes ${OURS} has changed 10 times a second over all vantage points; the median of the day is 16.67m. ` +
      'Check first your own routers for a session or an interface that goes up and down, then the upstreams whose paths change (Prefix dashboard).',
  },
  {
    alert: 'BGPPrefixFlapping',
    severity: 'warning',
    event: comingAndGoing(12),
    notYet: 13,
    fires: 18,
    kept: 17,
    gone: 24,
    notFiring: [
      { name: 'lost and regained once', changes: seenBy(54) },
      { name: 'lost by many, regained by few', changes: comingAndGoing(12, 2) },
    ],
    summary: `${OURS} comes and goes: 5.8 times in 30 minutes (office)`,
    description:
      `The average vantage point lost ${OURS} and regained it 5.8 times in half an hour. Networks that damp routes may suppress it for an hour or more. ` +
      'Check first the session, interface or tracked route that your announcement depends on.',
    messageAt: BEFORE + 29,
  },
  {
    alert: 'BGPPrefixPathLengthened',
    severity: 'warning',
    event: { ...longer(5.5), ...during(of.prefix(prefix.prefixPrependedVps.name), 0, 45) },
    notYet: 9,
    fires: 11,
    kept: 4,
    gone: 6,
    notFiring: [
      { name: 'half an AS longer', changes: longer(4.5) },
      {
        name: 'only two VPs see it',
        changes: { ...longer(6), ...visibility({ minutes: ALL, seen: 2, expected: 2 }), ...longer(6) },
      },
    ],
    summary: `Paths to ${OURS} are longer by 1.5 ASes (office)`,
    description:
      'The mean AS path is 5.50 long, 1.50 more than its median of the day; 45 vantage points see prepending. ' +
      'Check first for prepending of your own, then for an upstream that was lost or that sends you the long way round (panel "VPs by upstream").',
  },
];
