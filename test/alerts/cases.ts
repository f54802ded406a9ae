/** What each alert must and must not do, as worlds and the alerts that fire in them. `generate.ts` writes it for promtool. */
import {
  exporterMetrics as exporter,
  legitimacyMetrics as legitimacy,
  placeMetrics as place,
  prefixMetrics as prefix,
  rpkiMetrics as rpki,
  streamMetrics as stream,
  tableMetrics as table,
} from '../../src/metrics/catalogue.ts';
import { runtimeMetrics } from '../../src/metrics/runtime-metrics.ts';
import { memoryTests } from './memory-cases.ts';
import type { Mishap } from './mishaps.ts';
import { outageTests } from './outage-cases.ts';
import { sourceTests } from './source-cases.ts';
import { troubleTests } from './trouble-cases.ts';
import {
  CALM,
  counter,
  healthy,
  INSTANCE,
  JOB,
  levels,
  OURS,
  of,
  SESSION,
  type Steps,
  visibility,
  type World,
} from './world.ts';

/** An alert that fires: its name and the labels that tell it from its siblings. */
export type Fired = Readonly<Record<string, string>> & { readonly alertname: string; readonly severity: string };

export interface Check {
  /** Minute of the world. */
  readonly at: number;
  /** Of several sites the one that is looked at; all when it is missing. */
  readonly site?: string;
  /** All alerts that fire then, of any name: nothing else may. */
  readonly firing: readonly Fired[];
}

/** The text that a firing alert sends, with its whole set of labels, or several sets that send the same. */
export interface Message {
  readonly at: number;
  readonly severity: string;
  readonly labels: Readonly<Record<string, string>> | readonly Readonly<Record<string, string>>[];
  readonly summary: string;
  readonly description: string;
}

export type Kind =
  | 'firing'
  | 'not firing'
  | 'resolving'
  | 'quiet: stream down'
  | 'quiet: stream stale'
  | 'quiet: not seeded'
  | 'told: stream down'
  | 'told: stream stale'
  | 'told: not seeded'
  | 'quiet: VPs lost'
  | 'goes on'
  | 'nothing begins'
  | 'sites';

export interface RuleTest {
  readonly alert: string;
  readonly kinds: readonly Kind[];
  readonly name: string;
  readonly minutes: number;
  /** What is unlike the healthy world; `world` instead of both: all of it. */
  readonly changes?: World;
  readonly world?: World;
  readonly checks: readonly Check[];
  /** Expressions and the one value, without labels, that each must have; `undefined`: none. */
  readonly values?: readonly { readonly at: number; readonly expr: string; readonly value: number | undefined }[];
  readonly message?: readonly Message[];
  /** What happens meanwhile (mishaps.ts). */
  readonly mishap?: Mishap;
  /** Rules beside the bundled ones. */
  readonly ruleFiles?: readonly string[];
}

function warning(alertname: string, labels: Readonly<Record<string, string>> = { prefix: OURS }): Fired {
  return { alertname, severity: 'warning', ...labels };
}
function critical(alertname: string, labels: Readonly<Record<string, string>> = { prefix: OURS }): Fired {
  return { alertname, severity: 'critical', ...labels };
}

/** Healthy until minute 60, the event until minute 90, healthy again until 120. */
const BEFORE = 60;
const DURING = 30;
const AFTER = 30;
const ALL = BEFORE + DURING + AFTER;
const OURS_LABELS = { job: JOB, instance: INSTANCE, prefix: OURS, afi: 'ipv4', group: 'core', description: 'office' };
const SESSION_LABELS = { job: JOB, instance: INSTANCE, ...SESSION };
const EXPORTER_LABELS = { job: JOB, instance: INSTANCE };

/** Whether what a flag names could be read. */
const RELOAD_STATES = {
  'config.file': exporter.exporterConfigLastReloadSuccessful.name,
  'web.config.file': exporter.exporterWebConfigLastReloadSuccessful.name,
} as const;

/** A pattern, over and over: `times` times `steps`. */
function again<S extends Steps[number]>(times: number, ...steps: readonly S[]): readonly S[] {
  return Array.from({ length: times }, () => steps).flat();
}

function during(name: string, normal: number, event: number): World {
  return { [name]: levels([normal, BEFORE], [event, DURING], [normal, AFTER]) };
}

function seenBy(seen: number, expected = 60): World {
  return {
    ...visibility(
      { minutes: BEFORE, seen: expected, expected },
      { minutes: DURING, seen, expected },
      { minutes: AFTER, seen: expected, expected },
    ),
    [of.prefix(prefix.prefixVpLosses.name, { reason: 'withdrawn' })]: levels(
      [0, BEFORE],
      [expected - seen, DURING + AFTER],
    ),
    [of.prefix(prefix.prefixVpGains.name)]: levels([60, BEFORE + DURING], [60 + expected - seen, AFTER]),
  };
}

export interface PrefixEvent {
  readonly alert: string;
  readonly severity: 'warning' | 'critical';
  readonly labels?: Readonly<Record<string, string>>;
  readonly event: World;
  /** Minutes after the event's start: not yet; firing. And after its end: still kept; gone. */
  readonly notYet: number;
  readonly fires: number;
  readonly kept: number;
  readonly gone: number;
  /** What fires beside it, and why that is right. */
  readonly beside?: readonly Fired[];
  readonly notFiring: readonly { readonly name: string; readonly changes: World; readonly others?: readonly Fired[] }[];
  readonly summary: string;
  readonly description: string;
  readonly messageAt?: number;
}

const unexpectedOrigin = (vps: number): World => ({
  ...during(of.prefix(prefix.prefixUnexpectedOriginVps.name), 0, vps),
  ...during(of.prefix(prefix.prefixOriginVps.name, { origin_as: '64500' }), 60, 60 - vps),
  [of.prefix(prefix.prefixOriginVps.name, { origin_as: '64666' })]: levels(['_', BEFORE], [vps, DURING], ['stale', 1]),
});

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

/** VPs with something that only data of the RPKI or rules for paths tell. */
const found = (metric: { readonly name: string }, labels: Readonly<Record<string, string>>, vps: number): World =>
  during(of.prefix(metric.name, labels), 0, vps);

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

/** The VPs of a region that see the prefix, and those that are expected to. */
const region = (name: string, seen: Steps, expected: Steps): World => ({
  [of.prefix(place.prefixRegionVisibleVps.name, { region: name })]: levels(...seen),
  [of.prefix(place.prefixRegionExpectedVps.name, { region: name })]: levels(...expected),
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

const moreSpecific = (vps: number): World => ({
  ...during(of.prefix(prefix.prefixMoreSpecifics.name), 0, 1),
  [of.prefix(prefix.prefixMoreSpecificVps.name, { more_specific: '192.0.2.128/25' })]: levels(
    ['_', BEFORE],
    [vps, DURING],
    ['stale', 1],
  ),
});

/** `news` announcements that change something and `repeats` that don't, a minute. */
const updates = (news: number, repeats: number): World => ({
  [of.prefix(prefix.prefixAnnouncements.name)]: counter([2, BEFORE], [news + repeats, DURING], [2, AFTER]),
  [of.prefix(prefix.prefixRepeats.name)]: counter([1, BEFORE], [repeats, DURING], [1, AFTER]),
});

/** `a minute` of the 60 VPs lose the prefix, and as many regain it. */
const comingAndGoing = (lost: number, regained = lost): World => ({
  [of.prefix(prefix.prefixVpLosses.name, { reason: 'withdrawn' })]: counter([0, BEFORE], [lost, DURING], [0, AFTER]),
  [of.prefix(prefix.prefixVpGains.name)]: counter([0, BEFORE], [regained, DURING], [0, AFTER]),
});

const longer = (mean: number): World => during(of.prefix(prefix.prefixAsPathLengthMean.name), 4, mean);

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
      '12 vantage points hold a route from an origin that you configured, and that the RPKI calls invalid: networks that validate drop it. ' +
      'Check first which ROA covers the prefix, and whether its AS and longest length fit what you announce: bgp_prefix_origin_rpki_info says which origin and why.',
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
      '12 vantage points hold a route from an origin that is not configured, and that no ROA allows. ' +
      "Check first whether that AS is yours, a customer's or a DDoS mitigation's and lacks a ROA; otherwise it is a hijack or a leak: act on it.",
  },
  {
    alert: 'BGPPrefixMoreSpecificRpkiInvalid',
    severity: 'critical',
    event: found(legitimacy.prefixMoreSpecificRpkiVps, { validity: 'invalid_length' }, 7),
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
      `7 routes for prefixes inside ${OURS} are held whose origin no ROA allows for so long a prefix. Networks that do not validate send that part of the traffic there. ` +
      'Check first the more-specific and its origin (bgp_prefix_more_specific_vps, then the command rib): your own traffic engineering beyond the longest length of your ROA, or a hijack of a part.',
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
      `${OURS} had 2 covering VRPs within the last day, and has none now. Origin validation protects it no longer; what you announce stays reachable. ` +
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
      '9 vantage points hold a path with a loop, a private, reserved or documentation AS, AS 0 or 23456, an AS_SET or a confederation. ' +
      'Check first which it is (bgp_prefix_path_anomaly_vps by anomaly), and whether your own routers strip private ASes and confederations.',
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
    summary: `192.0.2.128/25, inside ${OURS}, is announced (office)`,
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

/** 50 of 60 VPs go down themselves when the event begins. */
const vpsLost: World = {
  [of.prefix(prefix.prefixVpLosses.name, { reason: 'vp_down' })]: levels([0, BEFORE], [50, DURING + AFTER]),
};

/** Neither prefix is trusted from a minute on. */
function untrusted(from: number, minutes: number): World {
  const values = levels([1, from], [0, minutes - from]);
  return {
    [of.prefix(prefix.prefixTrusted.name)]: values,
    [of.prefix(prefix.prefixTrusted.name, { prefix: CALM })]: values,
  };
}
function streamDown(from: number, minutes: number): World {
  return {
    [of.session(stream.streamUp.name)]: levels([1, from], [0, minutes - from]),
    ...untrusted(from, minutes),
  };
}
function notSeeded(from: number, minutes: number): World {
  return { [of.exporter(table.tableSeeded.name)]: levels([1, from], [0, minutes - from]), ...untrusted(from, minutes) };
}
/** A canary that was heard until `from`. */
function canaryLost(from: number, minutes: number): World {
  return {
    [of.session(stream.streamCanaryTimestamp.name)]: `0+60x${from - 1} ${levels([(from - 1) * 60, minutes - from])}`,
  };
}
/** The event, kept up until the end and begun `minutes` later. */
function later(world: World, minutes: number): World {
  return Object.fromEntries(
    Object.entries(world).map(([key, text]) => {
      const first = text.split(' ')[0]!;
      const held = /^(-?[\d.]+)\+/.exec(first);
      if (text === '') return [key, text];
      if (first.startsWith('_')) return [key, `_x${minutes} ${text}`];
      return [key, `${held?.[1] ?? /^-?[\d.]+/.exec(first)![0]}x${minutes - 1} ${text}`];
    }),
  );
}

const DOWN = critical('BGPStreamDown', SESSION);
const STALE = warning('BGPStreamStale', { ...SESSION, why: 'canary' });
const UNSEEDED = warning('BGPTableNotSeeded', {});

/** Alerts of presence; those of absence are the others about prefixes. */
export const PRESENCE: readonly string[] = [
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
];

const prefixTests: readonly RuleTest[] = prefixEvents.flatMap((e): RuleTest[] => {
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

/** Where what compares with the past would mislead: the event is made by the loss of VPs alone. */
const vpLossTests: readonly RuleTest[] = [
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
const sourceLossTests: readonly RuleTest[] = vpLossTests
  .filter(({ kinds }) => kinds.includes('quiet: VPs lost'))
  .map(({ changes, name, ...rest }) => ({
    ...rest,
    name: `${name} (their source ended)`,
    changes: Object.fromEntries(
      Object.entries(changes ?? {}).map(([series, values]) => [series.replace('"vp_down"', '"source_down"'), values]),
    ),
  }));

/** Two streams of the same exporter: the second is what fails, the first is well. */
const session = (name: string, labels: Readonly<Record<string, string>> = {}) => of.session(name, labels);

const rpkiSource = { rpki_source: '0' };
const ripe = { ...rpkiSource, ta: 'ripe' };
const rpkiVrps = (ta: string, ...steps: Steps): World => ({
  [of.exporter(rpki.rpkiUp.name, rpkiSource)]: levels([1, ALL]),
  [of.exporter(rpki.rpkiVrps.name, { ...rpkiSource, ta })]: levels(...steps),
});

const rpkiTests: readonly RuleTest[] = [
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
          'For 15 minutes no source has had data that is younger than rpki.max_age. Nothing is judged by it meanwhile: alerts about RPKI and ASPA are blind. ' +
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
          'For 30 minutes no attempt to read it was answered with data. What was read before is used until it is too old, or another source answers. ' +
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
          '33.3% of the VRPs that the trust anchor ripe had within the last hour are missing. Routes turn not found for that, yours among them perhaps; nobody has changed their ROAs. ' +
          'Check first the log of your validator for that trust anchor, and another validator: a repository that cannot be reached is most often it.',
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

const exporterTests: readonly RuleTest[] = [
  {
    alert: 'BGPExporterDown',
    kinds: ['firing', 'resolving'],
    name: 'the scrape fails, then works again',
    minutes: ALL,
    changes: {
      [of.exporter('up')]: levels([1, BEFORE], [0, DURING], [1, AFTER]),
      [of.exporter(exporter.exporterBuildInfo.name, { version: '0.1.0' })]: levels(
        [1, BEFORE],
        ['stale', 1],
        ['_', DURING - 1],
        [1, AFTER],
      ),
    },
    checks: [
      { at: BEFORE + 1, firing: [] },
      { at: BEFORE + 3, firing: [critical('BGPExporterDown', {})] },
      { at: BEFORE + DURING + 1, firing: [] },
    ],
    message: [
      {
        at: BEFORE + 3,
        severity: 'critical',
        labels: EXPORTER_LABELS,
        summary: `No metrics from the BGP exporter ${JOB} at ${INSTANCE}`,
        description:
          'The exporter could not be read for two minutes, and says nothing of its prefixes. No alert about them begins meanwhile; those that fire go on. ' +
          "Check first whether its process runs (its log's last lines say why it stopped), then whether Prometheus reaches it; through OTLP, whether the collector runs.",
      },
    ],
  },
  {
    alert: 'BGPExporterDown',
    kinds: ['firing'],
    name: 'it never came up',
    minutes: 30,
    changes: {
      [of.exporter('up')]: levels([0, 30]),
      [of.exporter(exporter.exporterBuildInfo.name, { version: '0.1.0' })]: '',
    },
    checks: [{ at: 5, firing: [critical('BGPExporterDown', {})] }],
  },
  {
    alert: 'BGPExporterDown',
    kinds: ['firing', 'resolving'],
    name: 'through OTLP: the collector is scraped, but no longer has anything of the exporter',
    minutes: ALL,
    changes: {
      [of.exporter('up')]: '',
      [of.exporter('up', { job: 'otel-collector' })]: levels([1, ALL]),
      [of.exporter(exporter.exporterBuildInfo.name, { version: '0.1.0' })]: levels(
        [1, BEFORE],
        ['stale', 1],
        ['_', DURING - 1],
        [1, AFTER],
      ),
    },
    checks: [
      { at: BEFORE - 1, firing: [] },
      { at: BEFORE + 3, firing: [critical('BGPExporterDown', {})] },
      { at: BEFORE + DURING + 1, firing: [] },
    ],
    message: [
      {
        at: BEFORE + 3,
        severity: 'critical',
        labels: { job: JOB },
        summary: `No metrics from the BGP exporter ${JOB}`,
        description:
          'The exporter could not be read for two minutes, and says nothing of its prefixes. No alert about them begins meanwhile; those that fire go on. ' +
          "Check first whether its process runs (its log's last lines say why it stopped), then whether Prometheus reaches it; through OTLP, whether the collector runs.",
      },
    ],
  },
  {
    alert: 'BGPExporterDown',
    kinds: ['not firing'],
    name: 'other jobs are not its business; an instance that was replaced is not missed',
    minutes: ALL,
    changes: {
      'up{job="node",instance="edge:9100"}': levels([0, ALL]),
      [of.exporter(exporter.exporterBuildInfo.name, { version: '0.0.9', instance: 'old:10479' })]: levels(
        [1, BEFORE],
        ['stale', 1],
      ),
    },
    checks: [BEFORE + 10, ALL - 1].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPExporterDown',
    kinds: ['not firing'],
    name: 'a job of many kinds of targets: another one is down',
    minutes: ALL,
    changes: {
      'up{job="pods",instance="bgp:10479"}': levels([1, ALL]),
      'up{job="pods",instance="shop:8080"}': levels([0, ALL]),
      [of.exporter(exporter.exporterBuildInfo.name, { job: 'pods', instance: 'bgp:10479' })]: levels([1, ALL]),
    },
    checks: [BEFORE, ALL - 1].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPExporterDown',
    kinds: ['firing'],
    name: 'a job of many kinds of targets: the exporter is down',
    minutes: ALL,
    changes: {
      'up{job="pods",instance="bgp:10479"}': levels([1, BEFORE], [0, DURING + AFTER]),
      'up{job="pods",instance="shop:8080"}': levels([1, ALL]),
      [of.exporter(exporter.exporterBuildInfo.name, { job: 'pods', instance: 'bgp:10479' })]: levels(
        [1, BEFORE],
        ['stale', 1],
      ),
    },
    checks: [
      { at: BEFORE + 1, firing: [] },
      { at: BEFORE + 3, firing: [critical('BGPExporterDown', {})] },
    ],
  },
  {
    alert: 'BGPExporterDown',
    kinds: ['firing'],
    name: 'a job of many kinds of targets: the exporter is no target any more, and another one is down',
    minutes: ALL,
    changes: {
      'up{job="pods",instance="bgp:10479"}': levels([1, BEFORE], ['stale', 1]),
      'up{job="pods",instance="shop:8080"}': levels([0, ALL]),
      [of.exporter(exporter.exporterBuildInfo.name, { job: 'pods', instance: 'bgp:10479' })]: levels(
        [1, BEFORE],
        ['stale', 1],
      ),
    },
    checks: [
      { at: BEFORE + 1, firing: [] },
      { at: BEFORE + 3, firing: [critical('BGPExporterDown', {})] },
    ],
  },
  {
    alert: 'BGPExporterUnstable',
    kinds: ['firing', 'resolving'],
    name: 'the stream is cut again and again; the table is whole for one minute in four',
    minutes: BEFORE + 60 + AFTER,
    changes: {
      [of.exporter(table.tableSeeded.name)]: levels([1, BEFORE], ...again(15, [0, 3], [1, 1]), [1, AFTER]),
      [session(stream.streamDisconnects.name, { reason: 'closed' })]: levels(
        [0, BEFORE],
        ...Array.from({ length: 15 }, (_, i) => [i + 1, 4] as const),
        [15, AFTER],
      ),
    },
    checks: [
      { at: BEFORE + 35, firing: [] },
      { at: BEFORE + 50, firing: [warning('BGPExporterUnstable', {})] },
      { at: BEFORE + 66, firing: [] },
    ],
    message: [
      {
        at: BEFORE + 50,
        severity: 'warning',
        labels: EXPORTER_LABELS,
        summary: `The BGP exporter ${INSTANCE} comes and goes`,
        description:
          'It knew its prefixes for 7 of the last 30 minutes only. Alerts of absence need minutes without a break, so they may stay quiet when something happens. ' +
          'Disconnects: closed 7; restarts: 0. ' +
          "Check first what ends the connections (a proxy, a second session with the same key), or the process (its log's last lines).",
      },
    ],
  },
  {
    alert: 'BGPExporterUnstable',
    kinds: ['firing'],
    name: 'the process starts again every three minutes, and its table is never whole',
    minutes: BEFORE + 60,
    changes: {
      [of.exporter('up')]: levels([1, BEFORE], ...again(20, [1, 2], [0, 1])),
      [session(stream.streamUp.name)]: levels([1, BEFORE], ...again(20, [1, 2], ['stale', 1])),
      [of.exporter(table.tableSeeded.name)]: levels([1, BEFORE], ...again(20, [0, 2], ['stale', 1])),
      [of.exporter(runtimeMetrics.processStartTime.name)]: levels(
        [1, BEFORE],
        ...Array.from({ length: 20 }, (_, i) => [i + 2, 3] as const),
      ),
    },
    checks: [
      { at: BEFORE + 15, firing: [] },
      { at: BEFORE + 50, firing: [warning('BGPExporterUnstable', {})] },
    ],
  },
  {
    alert: 'BGPExporterUnstable',
    kinds: ['not firing'],
    name: 'down for an hour and a half, and up again: another alert says it',
    minutes: BEFORE + 90 + AFTER,
    changes: Object.fromEntries(
      [session(stream.streamUp.name), of.prefix(prefix.prefixTrusted.name)].map((series) => [
        series,
        levels([1, BEFORE], [0, 90], [1, AFTER]),
      ]),
    ),
    checks: [
      { at: BEFORE + 30, firing: [DOWN] },
      { at: BEFORE + 80, firing: [DOWN] },
      { at: BEFORE + 90 + 10, firing: [] },
      { at: BEFORE + 90 + 25, firing: [] },
    ],
  },
  {
    alert: 'BGPExporterUnstable',
    kinds: ['not firing'],
    name: 'cut every ten minutes, for two',
    minutes: BEFORE + 60,
    changes: { [of.exporter(table.tableSeeded.name)]: levels([1, BEFORE], ...again(6, [0, 2], [1, 8])) },
    checks: [BEFORE + 30, BEFORE + 59].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPStreamDown',
    kinds: ['firing', 'resolving'],
    name: 'the server refuses the key for half an hour',
    minutes: ALL,
    changes: {
      ...during(session(stream.streamUp.name), 1, 0),
      [session(stream.streamDisconnects.name, { reason: 'refused' })]: counter([0, BEFORE], [1, DURING], [0, AFTER]),
    },
    checks: [
      { at: BEFORE + 1, firing: [] },
      { at: BEFORE + 3, firing: [DOWN] },
      { at: BEFORE + DURING - 1, firing: [DOWN] },
      { at: BEFORE + DURING + 4, firing: [DOWN] },
      { at: BEFORE + DURING + 6, firing: [] },
    ],
    message: [
      {
        at: BEFORE + 20,
        severity: 'critical',
        labels: SESSION_LABELS,
        summary: `BGP stream bgproutes/0 of ${INSTANCE} is down`,
        description:
          'The session has not been connected, or its prefixes not associated with its key, for two minutes. What only it delivers is not seen: no alert of absence begins about prefixes that no other source carries, and those that fire go on. ' +
          'Disconnects in the last 10 minutes: refused 10. ' +
          "Check first the exporter's log for the server's own words: refused (key wrong, or used by a second session), association_failed (Live Manager API), connect_failed (network, DNS, TLS).",
      },
    ],
  },
  {
    alert: 'BGPStreamDown',
    kinds: ['not firing'],
    name: 'a minute without a connection is a reconnect',
    minutes: ALL,
    changes: { [session(stream.streamUp.name)]: levels([1, BEFORE], [0, 2], [1, ALL - BEFORE - 2]) },
    checks: [BEFORE + 1, BEFORE + 2, BEFORE + 5].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPStreamDown',
    kinds: ['firing'],
    name: 'one of two sessions is down: its prefixes are quiet, those of the other are told',
    minutes: ALL,
    changes: {
      ...seenBy(0),
      [of.prefix(prefix.prefixVisibleVps.name, { prefix: CALM })]: levels([60, BEFORE], [0, DURING + AFTER]),
      [of.prefix(prefix.prefixVisibilityRatio.name, { prefix: CALM })]: levels([1, BEFORE], [0, DURING + AFTER]),
      [of.prefix(prefix.prefixTrusted.name, { prefix: CALM })]: levels([1, BEFORE], [0, DURING + AFTER]),
      [session(stream.streamUp.name, { session: '1' })]: levels([1, BEFORE], [0, DURING + AFTER]),
    },
    checks: [
      {
        at: BEFORE + 10,
        firing: [
          critical('BGPPrefixNotVisible'),
          critical('BGPPrefixVisibilityDrop'),
          warning('BGPPrefixVisibilityDrop'),
          critical('BGPStreamDown', { source: 'bgproutes', session: '1' }),
        ],
      },
    ],
  },
  {
    alert: 'BGPStreamStale',
    kinds: ['firing', 'resolving'],
    name: 'a stream that speaks every minute falls silent',
    minutes: 560,
    changes: {
      [session(stream.streamLastFrame.name)]: `0+60x399 ${levels([399 * 60, 120])} ${520 * 60}+60x39`,
      [session(stream.streamUpdates.name)]: `0+30x399 ${levels([399 * 30, 120])} ${400 * 30}+30x39`,
    },
    checks: [
      { at: 440, firing: [] },
      { at: 500, firing: [warning('BGPStreamStale', { ...SESSION, why: 'silence' })] },
      { at: 527, firing: [] },
    ],
    message: [
      {
        at: 500,
        severity: 'warning',
        labels: { ...SESSION_LABELS, why: 'silence' },
        summary: `BGP stream bgproutes/0 of ${INSTANCE} is connected but brings no news (silence)`,
        description:
          'Last message 1h 41m 0s ago. Told by: silence (canary: its beacon was not heard for 2.5 hours; silence: ten times longer than usual; mute: no message in six hours; expired: the association with the key has ended). No alert of absence begins meanwhile for prefixes that no other source carries; those that fire go on. ' +
          "Check first the subscription's expiry and renewals on the Exporter dashboard, then the service's status.",
      },
    ],
  },
  {
    alert: 'BGPStreamStale',
    kinds: ['not firing'],
    name: 'quiet prefixes are calm: one message an hour is usual here',
    minutes: 560,
    changes: {
      [session(stream.streamLastFrame.name)]: Array.from({ length: 9 }, (_, hour) => levels([hour * 3600, 60]))
        .join(' ')
        .concat(' ', levels([9 * 3600, 20])),
      [session(stream.streamUpdates.name)]: Array.from({ length: 9 }, (_, hour) => levels([hour + 1, 60]))
        .join(' ')
        .concat(' ', levels([10, 20])),
    },
    checks: [300, 359, 479, 539].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPStreamStale',
    kinds: ['firing'],
    name: 'keep-alives are no life; a restart, and a day of it, do not end a silence',
    minutes: 1900,
    changes: {
      [session(stream.streamLastFrame.name)]: `0+60x399 ${levels([399 * 60, 200], ['stale', 1], ['_', 1299])}`,
      [session(stream.streamFrames.name)]: `0+30x599 ${levels(['stale', 1], ['_', 3])} 0+2x1295`,
      [session(stream.streamUpdates.name)]: `0+30x399 ${levels([399 * 30, 200], ['stale', 1], ['_', 3], [0, 1296])}`,
      [session(stream.streamUp.name)]: levels([1, 600], ['stale', 1], ['_', 3], [1, 1296]),
    },
    checks: [
      ...[500, 599, 602, 610, 700].map((at) => ({
        at,
        firing: [warning('BGPStreamStale', { ...SESSION, why: 'silence' })],
      })),
      ...[1500, 1800].map((at) => ({
        at,
        firing: ['mute', 'silence'].map((why) => warning('BGPStreamStale', { ...SESSION, why })),
      })),
    ],
  },
  {
    alert: 'BGPStreamStale',
    kinds: ['not firing'],
    name: "the exporter's clock is two days slow, or three hours fast: messages come all the same",
    minutes: 560,
    changes: {
      [session(stream.streamLastFrame.name)]: `0+60x199 -160000+60x199 34800+60x159`,
      [session(stream.streamCanaryTimestamp.name, { session: '1' })]: levels(
        [0, 120],
        [7200, 120],
        [14400 - 172800, 120],
        [21600 - 172800, 120],
        [28800 + 10800, 80],
      ),
      [session(stream.streamUp.name, { session: '1' })]: levels([1, 560]),
    },
    checks: [199, 250, 350, 450, 559].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPStreamStale',
    kinds: ['not firing'],
    name: 'silence is calm while the canary is heard',
    minutes: 560,
    changes: {
      [session(stream.streamLastFrame.name)]: `0+60x399 ${levels([399 * 60, 160])}`,
      [session(stream.streamUpdates.name)]: `0+30x399 ${levels([399 * 30, 160])}`,
      [session(stream.streamCanaryTimestamp.name)]: levels(
        [0, 120],
        [7200, 120],
        [14400, 120],
        [21600, 120],
        [28800, 80],
      ),
    },
    checks: [450, 500, 559].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPStreamStale',
    kinds: ['firing', 'resolving'],
    name: 'the canary is not heard, though other frames come; then it is',
    minutes: 300,
    changes: { [session(stream.streamCanaryTimestamp.name)]: levels([0, 200], [12000, 100]) },
    checks: [
      { at: 149, firing: [] },
      { at: 160, firing: [STALE] },
      { at: 207, firing: [] },
    ],
  },
  {
    alert: 'BGPStreamStale',
    kinds: ['firing'],
    name: 'connected since six hours, and not one message',
    minutes: 400,
    changes: {
      [session(stream.streamLastFrame.name)]: '',
      [session(stream.streamUpdates.name)]: levels([0, 400]),
    },
    checks: [
      { at: 300, firing: [] },
      { at: 370, firing: [warning('BGPStreamStale', { ...SESSION, why: 'mute' })] },
    ],
  },
  {
    alert: 'BGPStreamStale',
    kinds: ['firing', 'resolving'],
    name: 'the association has ended while the session is still open; then it is renewed',
    minutes: 300,
    changes: { [session(stream.streamSubscriptionExpiry.name)]: levels([200 * 60, 240], [400 * 60, 60]) },
    checks: [
      { at: 199, firing: [warning('BGPSubscriptionExpiring', SESSION)] },
      {
        at: 210,
        firing: [
          warning('BGPStreamStale', { ...SESSION, why: 'expired' }),
          warning('BGPSubscriptionExpiring', SESSION),
        ],
      },
      { at: 247, firing: [] },
    ],
  },
  {
    alert: 'BGPStreamDelayed',
    kinds: ['firing', 'resolving'],
    name: 'a fifth of the messages is up to five minutes late',
    minutes: ALL,
    changes: {
      [session(`${stream.streamDelay.name}_bucket`, { le: '60' })]: counter([30, BEFORE], [24, DURING], [30, AFTER]),
    },
    checks: [
      { at: BEFORE + 5, firing: [] },
      { at: BEFORE + 25, firing: [warning('BGPStreamDelayed', SESSION)] },
      { at: BEFORE + DURING + 16, firing: [] },
    ],
    message: [
      {
        at: BEFORE + 25,
        severity: 'warning',
        labels: SESSION_LABELS,
        summary: `BGP stream bgproutes/0 of ${INSTANCE} is late by 3m 0s`,
        description:
          'One message in ten is older than 3m 0s when it arrives (limit 2 minutes). Numbers and alerts are late by that much. ' +
          "Check first its event loop delay and CPU on the Exporter dashboard; else the delay is the service's.",
      },
    ],
  },
  {
    alert: 'BGPStreamDelayed',
    kinds: ['not firing'],
    name: 'one message in thirty is late',
    minutes: ALL,
    changes: {
      [session(`${stream.streamDelay.name}_bucket`, { le: '60' })]: counter([30, BEFORE], [29, DURING], [30, AFTER]),
    },
    checks: [BEFORE + 15, BEFORE + 29].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPStreamDelayed',
    kinds: ['not firing'],
    name: 'calm prefixes: a message in five minutes, and each of them late',
    minutes: ALL,
    changes: Object.fromEntries(
      (
        [
          ['_bucket', '60'],
          ['_bucket', '300'],
          ['_bucket', '+Inf'],
          ['_count', undefined],
        ] as const
      ).map(([suffix, le]) => [
        session(`${stream.streamDelay.name}${suffix}`, le === undefined ? {} : { le }),
        le === '60' ? levels([0, ALL]) : levels([0, BEFORE], [1, 5], [2, 5], [3, 5], [4, 5], [5, 5], [6, 5 + AFTER]),
      ]),
    ),
    checks: [BEFORE + 15, BEFORE + 29].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPStreamDecodeFailures',
    kinds: ['firing', 'resolving'],
    name: 'a tenth of the messages cannot be read',
    minutes: ALL,
    changes: {
      [session(stream.streamDecodeFailures.name, { reason: 'invalid_json' })]: counter(
        [0, BEFORE],
        [3, DURING],
        [0, AFTER],
      ),
      [session(stream.streamUpdates.name)]: counter([30, BEFORE], [27, DURING], [30, AFTER]),
    },
    checks: [
      { at: BEFORE + 5, firing: [] },
      { at: BEFORE + 20, firing: [warning('BGPStreamDecodeFailures', SESSION)] },
      { at: BEFORE + DURING + 22, firing: [] },
    ],
    message: [
      {
        at: BEFORE + 20,
        severity: 'warning',
        labels: SESSION_LABELS,
        summary: `BGP stream bgproutes/0 of ${INSTANCE}: 10% of messages cannot be read`,
        description:
          'Limit 1%. Reasons in the last 15 minutes: invalid_json 45. ' +
          'What cannot be read is not in the numbers: withdrawals may be missing. Check first whether the service has changed its format (the log names the keys of such messages once), and whether a newer exporter is out.',
      },
    ],
  },
  {
    alert: 'BGPStreamDecodeFailures',
    kinds: ['not firing'],
    name: 'one frame of thousands cannot be read',
    minutes: ALL,
    changes: {
      [session(stream.streamDecodeFailures.name, { reason: 'invalid_json' })]: levels(
        [0, BEFORE],
        [1, DURING],
        [2, AFTER],
      ),
    },
    checks: [BEFORE + 12, BEFORE + 29, ALL - 1].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPStreamDecodeFailures',
    kinds: ['not firing'],
    name: 'keep-alives and errors of the service are no damage, though nothing else comes',
    minutes: ALL,
    changes: {
      [session(stream.streamUpdates.name)]: levels([0, ALL]),
      ...Object.fromEntries(
        ['unknown_record_type', 'service_error'].map((reason) => [
          session(stream.streamDecodeFailures.name, { reason }),
          counter([2, ALL]),
        ]),
      ),
    },
    checks: [BEFORE, ALL - 1].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPStreamDecodeFailures',
    kinds: ['firing'],
    name: 'keep-alives do not thin out damage: every message is damaged, one in fifty frames',
    minutes: ALL,
    changes: {
      [session(stream.streamUpdates.name)]: levels([0, ALL]),
      [session(stream.streamDecodeFailures.name, { reason: 'unknown_record_type' })]: counter([98, ALL]),
      [session(stream.streamDecodeFailures.name, { reason: 'invalid_json' })]: counter([2, ALL]),
    },
    checks: [{ at: BEFORE, firing: [warning('BGPStreamDecodeFailures', SESSION)] }],
  },
  {
    alert: 'BGPTableNotSeeded',
    kinds: ['firing', 'resolving'],
    name: 'the Data API says no for half an hour',
    minutes: ALL,
    changes: {
      ...during(of.exporter(table.tableSeeded.name), 1, 0),
      [of.exporter(table.dataApiRequests.name, { endpoint: 'rib', result: 'forbidden' })]: counter(
        [0, BEFORE],
        [1, DURING],
        [0, AFTER],
      ),
      [of.exporter(table.ripestatRequests.name, { call: 'bgp-state', result: 'timeout' })]: counter(
        [0, BEFORE],
        [2, DURING],
        [0, AFTER],
      ),
    },
    checks: [
      { at: BEFORE + 14, firing: [] },
      { at: BEFORE + 20, firing: [UNSEEDED] },
      { at: BEFORE + DURING + 6, firing: [] },
    ],
    message: [
      {
        at: BEFORE + 20,
        severity: 'warning',
        labels: EXPORTER_LABELS,
        summary: `The table of ${INSTANCE} is not known to be complete`,
        description:
          "For 15 minutes the table, or a part of it, was not read from its source's history (the Data API, RIPEstat): visible VPs may be too low, and alerts of absence (not visible, drop, storm, flapping, longer paths) are quiet for the prefixes of that part. Alerts of presence (origins, upstreams, more-specifics) go on. " +
          'Requests to the Data API in the last 15 minutes: rib forbidden 15; to RIPEstat: bgp-state timeout 30. ' +
          'Check first that the key may use the Data API (forbidden), and its hourly quota (rate_limited); RIPEstat needs no key, and is some minutes behind.',
      },
    ],
  },
  {
    alert: 'BGPTableNotSeeded',
    kinds: ['not firing'],
    name: 'a seed may take ten minutes',
    minutes: 60,
    changes: { [of.exporter(table.tableSeeded.name)]: levels([0, 10], [1, 50]) },
    checks: [9, 16, 30].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPTableDrift',
    kinds: ['firing', 'resolving'],
    name: 'a comparison corrects a tenth of the routes; the next ones nothing',
    minutes: 240,
    changes: { [of.exporter(table.tableSeedCorrections.name)]: levels([0, 61], [100, 179]) },
    checks: [
      { at: 61, firing: [] },
      { at: 70, firing: [warning('BGPTableDrift', {})] },
      { at: 195, firing: [] },
    ],
    message: [
      {
        at: 130,
        severity: 'warning',
        labels: EXPORTER_LABELS,
        summary: `The table of ${INSTANCE} drifts: 10% of its routes had to be corrected`,
        description:
          'Comparisons with the history (the Data API, RIPEstat) in the last two hours had to correct 10% of the routes (limit 2%). They are right now, but were wrong between comparisons: the stream loses or misreads messages. ' +
          'Check first decode failures, dropped events and gaps on the Exporter dashboard.',
      },
    ],
  },
  {
    alert: 'BGPTableDrift',
    kinds: ['not firing'],
    name: 'a few routes in a thousand are corrected; or some of very few',
    minutes: 240,
    changes: {
      [of.exporter(table.tableSeedCorrections.name)]: levels([0, 61], [8, 179]),
      [of.exporter(table.tableRoutes.name)]: levels([1000, 100], [20, 140]),
    },
    checks: [70, 110, 200].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPSubscriptionExpiring',
    kinds: ['firing', 'resolving'],
    name: 'renewals fail; the hour before the end alerts, and a renewal resolves it',
    minutes: 240,
    changes: {
      [session(stream.streamSubscriptionExpiry.name)]: levels([150 * 60, 130], [400 * 60, 110]),
      [session(stream.streamSubscriptionRenewals.name, { result: 'error' })]: counter([0, 60], [1, 70], [0, 110]),
    },
    checks: [
      { at: 90, firing: [] },
      { at: 100, firing: [warning('BGPSubscriptionExpiring', SESSION)] },
      { at: 136, firing: [] },
    ],
    message: [
      {
        at: 120,
        severity: 'warning',
        labels: SESSION_LABELS,
        summary: `The prefixes of session bgproutes/0 of ${INSTANCE} are about to lose their association with the key`,
        description:
          'The association ends in 30m 0s and has not been renewed; after its end the stream is silent although connected. Renewals in the last hour: error 60. ' +
          "Check first the exporter's log for the Live Manager API's answer.",
      },
    ],
  },
  {
    alert: 'BGPSubscriptionExpiring',
    kinds: ['not firing'],
    name: 'renewed every two hours of four',
    minutes: 360,
    changes: {
      [session(stream.streamSubscriptionExpiry.name)]: levels([240 * 60, 120], [360 * 60, 120], [480 * 60, 120]),
    },
    checks: [119, 239, 359].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPOtlpExportFailing',
    kinds: ['firing', 'resolving'],
    name: 'the collector is away for half an hour',
    minutes: ALL,
    changes: {
      [of.exporter(exporter.exporterOtlpExports.name, { result: 'success' })]: counter(
        [1, BEFORE],
        [0, DURING],
        [1, AFTER],
      ),
      [of.exporter(exporter.exporterOtlpExports.name, { result: 'unavailable' })]: counter(
        [0, BEFORE],
        [1, DURING],
        [0, AFTER],
      ),
    },
    checks: [
      { at: BEFORE + 5, firing: [] },
      { at: BEFORE + 20, firing: [warning('BGPOtlpExportFailing', {})] },
      { at: BEFORE + DURING + 21, firing: [] },
    ],
    message: [
      {
        at: BEFORE + 20,
        severity: 'warning',
        labels: EXPORTER_LABELS,
        summary: `100% of the OTLP exports of ${INSTANCE} fail`,
        description:
          'Limit 10%. Results in the last 15 minutes: unavailable 15. What goes out through OTLP is late or missing; /metrics is not concerned. ' +
          'Check first whether the collector runs and accepts (rejected: it will not take them; unavailable: it is down or overloaded; partial: it refused some points).',
      },
    ],
  },
  {
    alert: 'BGPOtlpExportFailing',
    kinds: ['not firing'],
    name: 'OTLP is off; elsewhere one export failed',
    minutes: ALL,
    changes: {
      [of.exporter(exporter.exporterOtlpExports.name, { result: 'success' })]: levels([0, ALL]),
      [of.exporter(exporter.exporterOtlpExports.name, { result: 'success', instance: 'b:1' })]: counter([1, ALL]),
      [of.exporter(exporter.exporterOtlpExports.name, { result: 'unavailable', instance: 'b:1' })]: levels(
        [0, BEFORE],
        [1, DURING + AFTER],
      ),
    },
    checks: [BEFORE + 12, ALL - 1].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPExporterConnectionsCut',
    kinds: ['firing', 'resolving'],
    name: 'a scraper whose answer never arrives in time, and another client that says nothing',
    minutes: ALL,
    changes: {
      [of.exporter(exporter.exporterHttpCutConnections.name, { reason: 'slow_answer' })]: counter(
        [0, BEFORE],
        [1, DURING],
        [0, AFTER],
      ),
      [of.exporter(exporter.exporterHttpCutConnections.name, { reason: 'slow_request' })]: counter(
        [0, BEFORE],
        [2, DURING],
        [0, AFTER],
      ),
    },
    checks: [
      { at: BEFORE + 12, firing: [] },
      { at: BEFORE + 20, firing: [warning('BGPExporterConnectionsCut', {})] },
      { at: BEFORE + DURING + 10, firing: [warning('BGPExporterConnectionsCut', {})] },
      { at: BEFORE + DURING + 18, firing: [] },
    ],
    message: [
      {
        at: BEFORE + 25,
        severity: 'warning',
        labels: EXPORTER_LABELS,
        summary: `The web server of ${INSTANCE} keeps cutting connections`,
        description:
          'It refused or ended 30 connections within 10 minutes, by reason: slow_request 20 slow_answer 10. A scrape among them is a gap in all metrics of this exporter. ' +
          'Check first who connects: a second Prometheus, a proxy that shares one address, a network that loses answers (slow_answer), a client that is no scraper (slow_request, bad_request, pipelining), or a scraper without TLS or with a wrong certificate (tls_handshake, client_certificate).',
      },
    ],
  },
  {
    alert: 'BGPExporterConnectionsCut',
    kinds: ['firing'],
    name: 'one scrape in two minutes is too slow',
    minutes: ALL,
    changes: {
      [of.exporter(exporter.exporterHttpCutConnections.name, { reason: 'slow_answer' })]: counter(
        [0, BEFORE],
        ...again(DURING / 2, [1, 1], [0, 1]),
        [0, AFTER],
      ),
    },
    checks: [
      { at: BEFORE + 12, firing: [] },
      { at: BEFORE + 25, firing: [warning('BGPExporterConnectionsCut', {})] },
    ],
  },
  {
    alert: 'BGPExporterConnectionsCut',
    kinds: ['not firing'],
    name: 'a scan of ports that is over in a minute, and a client that errs once in ten',
    minutes: ALL,
    changes: {
      [of.exporter(exporter.exporterHttpCutConnections.name, { reason: 'bad_request' })]: levels(
        [0, BEFORE],
        [40, DURING + AFTER],
      ),
      [of.exporter(exporter.exporterHttpCutConnections.name, { reason: 'slow_request', instance: 'b:1' })]: counter(
        ...again(ALL / 10, [1, 1], [0, 9]),
      ),
    },
    checks: [BEFORE + 10, BEFORE + 17, ALL - 1].map((at) => ({ at, firing: [] })),
  },
  ...(['config.file', 'web.config.file'] as const).map(
    (why): RuleTest => ({
      alert: 'BGPExporterConfigRefused',
      kinds: ['firing', 'resolving'],
      name: `what --${why} says is wrong until it is mended`,
      minutes: ALL,
      changes: {
        [of.exporter(RELOAD_STATES[why])]: levels([1, BEFORE], [0, DURING], [1, AFTER]),
      },
      checks: [
        { at: BEFORE + 4, firing: [] },
        { at: BEFORE + 8, firing: [warning('BGPExporterConfigRefused', { why })] },
        { at: BEFORE + DURING + 8, firing: [] },
      ],
      message: [
        {
          at: BEFORE + 8,
          severity: 'warning',
          labels: { ...EXPORTER_LABELS, why },
          summary: `The configuration of ${INSTANCE} is wrong, it runs with an old one`,
          description:
            `What --${why} says was refused, and the last good configuration still holds. The exporter would not start with it: a restart ends the monitoring. ` +
            'Check first the line of its log that says what is wrong; bgproutes-exporter check-config says it too. A certificate that was renewed by halves is mended by its other half.',
        },
      ],
    }),
  ),
  {
    alert: 'BGPExporterConfigRefused',
    kinds: ['not firing'],
    name: 'a certificate whose key comes a minute later',
    minutes: ALL,
    changes: {
      [of.exporter(RELOAD_STATES['web.config.file'])]: levels([1, BEFORE], [0, 1], [1, DURING + AFTER - 1]),
    },
    checks: [BEFORE + 5, BEFORE + 8, ALL - 1].map((at) => ({ at, firing: [] })),
  },
];

/** alerts/thresholds.example.yml is what these read; it sets one limit of each kind. */
const THRESHOLDS = ['thresholds.example.yml'];
const thresholdTests: readonly RuleTest[] = [
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

export const ruleTests: readonly RuleTest[] = [
  ...prefixTests,
  ...vpLossTests,
  ...sourceLossTests,
  ...exporterTests,
  ...rpkiTests,
  ...thresholdTests,
  ...memoryTests,
  ...sourceTests,
  ...outageTests(prefixEvents),
  ...troubleTests,
];
export const worldOf = (test: RuleTest): World => withSources(ownWorld(test));

/** Where a world says nothing of the sources one by one there is one, and it knows what the exporter knows. */
function withSources(world: World): World {
  const name = prefix.prefixSourceTrusted.name;
  const said = new Set(Object.keys(world).map((selector) => selector.replace(/,source="[^"]*"/, '')));
  const derived = Object.entries(world).flatMap(([selector, values]) => {
    const labels = new RegExp(`^${prefix.prefixTrusted.name}({.*)}$`).exec(selector)?.[1];
    if (labels === undefined || said.has(`${name}${labels}}`)) return [];
    return [[`${name}${labels},source="${SESSION.source}"}`, values] as const];
  });
  return { ...world, ...Object.fromEntries(derived) };
}

const ownWorld = (test: RuleTest): World => {
  const all: Record<string, string> = test.world ?? { ...healthy(test.minutes), ...test.changes };
  return Object.fromEntries(Object.entries(all).filter(([, values]) => values !== ''));
};
