/** The metrics of an ingest. */
import { ingestMetrics } from '../catalogue.ts';
import { type FamilySource, Labels, type Metric } from '../metric.ts';
import { PlainGroup, single, type Write } from './plain-group.ts';

/** What the view reads; counts since the start. */
export interface IngestFigures {
  readonly isWriting: boolean;
  readonly writer: {
    readonly written: number;
    readonly writtenBytes: number;
    readonly failures: number;
    readonly lost: number;
    readonly unmonitored: number;
  };
}

export class IngestView {
  readonly #group: PlainGroup;

  /** @param startTimeMs Unix ms since when it counts */
  constructor(figures: IngestFigures, startTimeMs: number) {
    const { writer } = figures;
    this.#group = new PlainGroup(startTimeMs, {
      ingestWriting: single(Labels.none, () => (figures.isWriting ? 1 : 0)),
      ingestRecords: single(Labels.none, () => writer.written),
      ingestWritten: single(Labels.none, () => writer.writtenBytes),
      ingestFailures: single(Labels.none, () => writer.failures),
      ingestLost: single(Labels.none, () => writer.lost),
      ingestUnmonitored: single(Labels.none, () => writer.unmonitored),
    } satisfies Record<keyof typeof ingestMetrics, Write>);
  }

  collect(): FamilySource {
    this.#group.renew();
    return { metrics: METRICS, groups: [this.#group] };
  }
}

const METRICS: readonly Metric[] = Object.values(ingestMetrics);
