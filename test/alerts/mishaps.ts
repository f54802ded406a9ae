/**
 * What happens to an exporter in ordinary life, as changes of a world: whatever it is, no alert about a prefix may end
 * while the fault goes on, none may stay once it has ended, and none may begin by the mishap alone.
 */
import {
  legitimacyMetrics as legitimacy,
  ownMetrics,
  placeMetrics as place,
  prefixMetrics as prefix,
  streamMetrics as stream,
  tableMetrics as table,
} from '../../src/metrics/catalogue.ts';
import { runtimeMetrics } from '../../src/metrics/runtime-metrics.ts';
import type { Sample, Series } from './samples.ts';
import { INSTANCE } from './world.ts';

const COUNTERS = new Set(
  ownMetrics.flatMap(({ kind, name }) =>
    kind === 'counter' ? [name] : kind === 'histogram' ? [`${name}_bucket`, `${name}_count`] : [],
  ),
);
const PREFIX_METRICS = new Set(
  [...Object.values(prefix), ...Object.values(place), ...Object.values(legitimacy)].map(({ name }) => name),
);
/** What an exporter says of a prefix that it knows nothing of yet; other gauges of prefixes are then absent. */
const EMPTY: ReadonlyMap<string, number> = new Map([
  [prefix.prefixInfo.name, 1],
  [prefix.prefixSessionInfo.name, 1],
  ...[
    prefix.prefixTrusted,
    prefix.prefixExpectedKnown,
    prefix.prefixVisibleVps,
    prefix.prefixExpectedVps,
    prefix.prefixOriginVps,
    prefix.prefixUnexpectedOriginVps,
    prefix.prefixUpstreamVps,
    prefix.prefixUnexpectedUpstreamVps,
    prefix.prefixPrependedVps,
    prefix.prefixMoreSpecifics,
    place.prefixRegionVisibleVps,
    place.prefixRegionExpectedVps,
  ].map(({ name }) => [name, 0] as const),
]);

export interface Mishap {
  readonly name: string;
  /** Minutes that it lasts. */
  readonly minutes: number;
  /** The exporter is away for so long that another of its job, which knows the prefix, would speak for it. */
  readonly isAway?: true;
  /** The series as they are when the mishap begins at minute `from`. */
  apply(world: readonly Series[], from: number): Series[];
}

function change(series: Series, samples: (minute: number, was: Sample) => Sample): Series {
  return { ...series, samples: series.samples.map((was, minute) => samples(minute, was)) };
}

const key = (labels: ReadonlyMap<string, string>) =>
  [...labels]
    .filter(([name]) => !['afi', 'group', 'description'].includes(name))
    .map(String)
    .join();

/** Expected VPs are those that see the prefix, from minute `from` on, and the ratio is what follows. */
function denominatorShrinks(world: readonly Series[], from: number, known: 0 | 1): Series[] {
  const visible = new Map(
    world
      .filter(({ metric }) => metric === prefix.prefixVisibleVps.name || metric === place.prefixRegionVisibleVps.name)
      .map((each) => [key(each.labels), each.samples]),
  );
  return world.map((each) => {
    const seen = (minute: number) => visible.get(key(each.labels))![minute]!;
    switch (each.metric) {
      case prefix.prefixExpectedVps.name:
      case place.prefixRegionExpectedVps.name:
        return change(each, (minute, was) => (minute < from ? was : seen(minute)));
      case prefix.prefixVisibilityRatio.name:
        return change(each, (minute, was) => (minute < from ? was : seen(minute) === 0 ? '_' : 1));
      case prefix.prefixExpectedKnown.name:
        return change(each, (minute, was) => (minute < from ? was : known));
      default:
        return each;
    }
  });
}

/** Away for `away` minutes, ignorant of its prefixes for `learning` more; its counters begin at 0. */
function restart(world: readonly Series[], from: number, away: number, learning: number): Series[] {
  const back = from + away;
  const knows = back + learning;
  return world.map((each) => {
    if (each.labels.get('instance') !== INSTANCE) return each;
    const base = each.samples[back];
    return change(each, (minute, was): Sample => {
      if (minute < from) return was;
      if (each.metric === 'up') return minute < back ? 0 : 1;
      if (minute < back) return minute === from ? 'stale' : '_';
      if (each.metric === runtimeMetrics.processStartTime.name) return from * 60 + 1;
      if (COUNTERS.has(each.metric)) return typeof was === 'number' && typeof base === 'number' ? was - base : was;
      if (minute >= knows) return was;
      if (each.metric === table.tableSeeded.name) return 0;
      // Where it was away for no scrape, a series that is no longer there ends now.
      if (PREFIX_METRICS.has(each.metric)) return EMPTY.get(each.metric) ?? (minute === from ? 'stale' : '_');
      return was;
    });
  });
}

/** Of the stream, or of what it says of prefixes. */
const isHeard = (metric: string) => /^bgp_(?:stream|prefix)_/.test(metric);

/** The source says nothing for `minutes`: what it counts stands still, and what was missed is never counted. */
function standstill(world: readonly Series[], from: number, minutes: number): Series[] {
  const until = from + minutes;
  return world.map((each) => {
    const still =
      COUNTERS.has(each.metric) && isHeard(each.metric)
        ? 'counter'
        : each.metric === stream.streamLastFrame.name
          ? 'time'
          : undefined;
    if (still === undefined) return each;
    const [first, last] = [each.samples[from], each.samples[until]];
    return change(each, (minute, was) => {
      if (minute < from || typeof first !== 'number' || typeof last !== 'number') return was;
      if (minute < until) return first;
      return still === 'counter' && typeof was === 'number' ? was - last + first : was;
    });
  });
}

function set(world: readonly Series[], metric: string, from: number, minutes: number, value: Sample): Series[] {
  return world.map((each) =>
    each.metric === metric
      ? change(each, (minute, was) => (minute >= from && minute < from + minutes ? value : was))
      : each,
  );
}

/** Cut for an hour; the gap is filled two minutes after. */
function cut(world: readonly Series[], from: number): Series[] {
  let after = standstill(world, from, 60);
  after = set(after, stream.streamUp.name, from, 60, 0);
  after = set(after, table.tableSeeded.name, from, 62, 0);
  return set(after, prefix.prefixTrusted.name, from, 62, 0);
}

/** Connected, but neither the canary nor anything else is heard for an hour. */
function silence(world: readonly Series[], from: number): Series[] {
  const after = standstill(world, from, 60);
  const up = after.find(({ metric }) => metric === stream.streamUp.name)!;
  const canary: Series = {
    ...up,
    metric: stream.streamCanaryTimestamp.name,
    // Stale two and a half hours after it was heard last.
    samples: up.samples.map((_, minute) => (minute < from + 60 ? (from - 151) * 60 : minute * 60)),
  };
  return [...after, canary];
}

/** The clock goes back by two days, and stays there; the exporter knows its offset after five minutes. */
function clockStep(world: readonly Series[], from: number): Series[] {
  const after = set(set(world, table.tableSeeded.name, from, 5, 0), prefix.prefixTrusted.name, from, 5, 0);
  return after.map((each) =>
    each.metric === stream.streamLastFrame.name
      ? change(each, (minute, was) => (minute >= from && typeof was === 'number' ? was - 172_800 : was))
      : each,
  );
}

export const MISHAPS: readonly Mishap[] = [
  { name: 'a restart', minutes: 8, apply: (world, from) => restart(world, from, 4, 4) },
  {
    name: 'a restart between two scrapes, that loses the denominator',
    minutes: 4,
    apply: (world, from) => restart(denominatorShrinks(world, from, 0), from, 0, 4),
  },
  {
    name: 'a restart that takes half an hour and loses the denominator',
    minutes: 34,
    isAway: true,
    apply: (world, from) => restart(denominatorShrinks(world, from, 0), from, 30, 4),
  },
  { name: 'a stream that is cut for an hour', minutes: 62, apply: cut },
  { name: 'a source that is silent for an hour', minutes: 60, apply: silence },
  { name: 'a clock that is set back by two days', minutes: 5, apply: clockStep },
  {
    name: 'the end of the expected window',
    minutes: 1,
    apply: (world, from) => denominatorShrinks(world, from, 1),
  },
];
