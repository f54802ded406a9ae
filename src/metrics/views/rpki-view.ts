/** The metrics of the sources of validated data. */
import { RPKI_CHANGES } from '../../rpki/rpki-data.ts';
import { RPKI_RESULTS, type RpkiSourceState } from '../../rpki/source-state.ts';
import type { ValidatedData } from '../../rpki/validated-data.ts';
import { rpkiMetrics } from '../catalogue.ts';
import { type FamilySource, Labels, type Metric } from '../metric.ts';
import { each, PlainGroup, single, type Write } from './plain-group.ts';

type Key = keyof typeof rpkiMetrics;

export class RpkiView {
  readonly #groups: readonly PlainGroup[];

  /**
   * @param startTimeMs Unix ms since when the sources count
   * @param unixMs what the machine's clock shows, as times in the data
   */
  constructor(validated: ValidatedData, startTimeMs: number, unixMs: () => number) {
    const usable = single(Labels.none, () => (validated.usable(unixMs()) === undefined ? 0 : 1));
    this.#groups = [
      new PlainGroup(startTimeMs, { rpkiUsable: usable } satisfies Partial<Record<Key, Write>>),
      ...validated.sources.map(({ state }, place) => new PlainGroup(startTimeMs, writersOf(state, String(place)))),
    ];
  }

  collect(): FamilySource {
    for (const group of this.#groups) group.renew();
    return { metrics: METRICS, groups: this.#groups };
  }
}

function writersOf(state: RpkiSourceState, place: string): Readonly<Record<Exclude<Key, 'rpkiUsable'>, Write>> {
  const base = new Labels(['rpki_source'], [place]);
  const trustAnchors = new Map<string, Labels>();
  const seconds = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1_000);
  return {
    rpkiUp: single(base, () => (state.isUp ? 1 : 0)),
    rpkiVrps: (sink) => {
      for (const [ta, count] of state.data?.perTrustAnchor ?? []) {
        const labels = trustAnchors.get(ta) ?? new Labels(['rpki_source', 'ta'], [place, ta]);
        trustAnchors.set(ta, labels);
        sink.number(labels, count);
      }
    },
    rpkiAspas: single(base, () => state.data?.aspas.size),
    rpkiDataTimestamp: single(base, () => seconds(state.data === undefined ? undefined : state.dataAtMs)),
    rpkiUpdateTimestamp: single(base, () => seconds(state.updatedAtMs)),
    rpkiUpdates: each(base, 'result', RPKI_RESULTS, (result) => state.results[result]),
    rpkiChanges: each(base, 'change', RPKI_CHANGES, (change) => state.changes[change]),
  };
}

const METRICS: readonly Metric[] = Object.values(rpkiMetrics);
