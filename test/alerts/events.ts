/** Worlds in which one thing goes wrong, and the times of an event. */
import {
  placeMetrics as place,
  prefixMetrics as prefix,
  streamMetrics as stream,
} from '../../src/metrics/catalogue.ts';
import type { Fired } from './rule-test.ts';
import {
  CALM,
  counter,
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

/** A pattern, over and over: `times` times `steps`. */
export function again<S extends Steps[number]>(times: number, ...steps: readonly S[]): readonly S[] {
  return Array.from({ length: times }, () => steps).flat();
}

export function warning(alertname: string, labels: Readonly<Record<string, string>> = { prefix: OURS }): Fired {
  return { alertname, severity: 'warning', ...labels };
}

export function critical(alertname: string, labels: Readonly<Record<string, string>> = { prefix: OURS }): Fired {
  return { alertname, severity: 'critical', ...labels };
}

/** Healthy until minute 60, the event until minute 90, healthy again until 120. */
export const BEFORE = 60;

export const DURING = 30;

export const AFTER = 30;

export const ALL = BEFORE + DURING + AFTER;

export const EXPORTER_LABELS = { job: JOB, instance: INSTANCE };

export function during(name: string, normal: number, event: number): World {
  return { [name]: levels([normal, BEFORE], [event, DURING], [normal, AFTER]) };
}

export function seenBy(seen: number, expected = 60): World {
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

export const unexpectedOrigin = (vps: number): World => ({
  ...during(of.prefix(prefix.prefixUnexpectedOriginVps.name), 0, vps),
  ...during(of.prefix(prefix.prefixOriginVps.name, { origin_as: '64500' }), 60, 60 - vps),
  [of.prefix(prefix.prefixOriginVps.name, { origin_as: '64666' })]: levels(['_', BEFORE], [vps, DURING], ['stale', 1]),
});

/** VPs with something that only data of the RPKI or rules for paths tell. */
export const found = (
  metric: { readonly name: string },
  labels: Readonly<Record<string, string>>,
  vps: number,
): World => during(of.prefix(metric.name, labels), 0, vps);

/** The VPs of a region that see the prefix, and those that are expected to. */
export const region = (name: string, seen: Steps, expected: Steps): World => ({
  [of.prefix(place.prefixRegionVisibleVps.name, { region: name })]: levels(...seen),
  [of.prefix(place.prefixRegionExpectedVps.name, { region: name })]: levels(...expected),
});

export const moreSpecific = (vps: number): World => ({
  ...during(of.prefix(prefix.prefixMoreSpecifics.name), 0, 1),
  [of.prefix(prefix.prefixMoreSpecificVps.name, { more_specific: '192.0.2.128/25' })]: levels(
    ['_', BEFORE],
    [vps, DURING],
    ['stale', 1],
  ),
});

/** `news` announcements that change something and `repeats` that don't, a minute. */
export const updates = (news: number, repeats: number): World => ({
  [of.prefix(prefix.prefixAnnouncements.name)]: counter([2, BEFORE], [news + repeats, DURING], [2, AFTER]),
  [of.prefix(prefix.prefixRepeats.name)]: counter([1, BEFORE], [repeats, DURING], [1, AFTER]),
});

/** `a minute` of the 60 VPs lose the prefix, and as many regain it. */
export const comingAndGoing = (lost: number, regained = lost): World => ({
  [of.prefix(prefix.prefixVpLosses.name, { reason: 'withdrawn' })]: counter([0, BEFORE], [lost, DURING], [0, AFTER]),
  [of.prefix(prefix.prefixVpGains.name)]: counter([0, BEFORE], [regained, DURING], [0, AFTER]),
});

export const longer = (mean: number): World => during(of.prefix(prefix.prefixAsPathLengthMean.name), 4, mean);

/** 50 of 60 VPs go down themselves when the event begins. */
export const vpsLost: World = {
  [of.prefix(prefix.prefixVpLosses.name, { reason: 'vp_down' })]: levels([0, BEFORE], [50, DURING + AFTER]),
};

/** Neither prefix is trusted from a minute on. */
export function untrusted(from: number, minutes: number): World {
  const values = levels([1, from], [0, minutes - from]);
  return {
    [of.prefix(prefix.prefixTrusted.name)]: values,
    [of.prefix(prefix.prefixTrusted.name, { prefix: CALM })]: values,
  };
}

export function streamDown(from: number, minutes: number): World {
  return {
    [of.session(stream.streamUp.name)]: levels([1, from], [0, minutes - from]),
    ...untrusted(from, minutes),
  };
}

/** The event, kept up until the end and begun `minutes` later. */
export function later(world: World, minutes: number): World {
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

export const DOWN = critical('BGPStreamDown', SESSION);

export const STALE = warning('BGPStreamStale', { ...SESSION, why: 'canary' });

export const UNSEEDED = warning('BGPTableNotSeeded', {});

/** Two streams of the same exporter: the second is what fails, the first is well. */
export const session = (name: string, labels: Readonly<Record<string, string>> = {}) => of.session(name, labels);

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
