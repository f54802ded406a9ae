/** The metrics of a member of a fleet. */
import { fleetMetrics } from '../catalogue.ts';
import { type FamilySource, Labels, type Metric } from '../metric.ts';
import { PlainGroup, single, type Write } from './plain-group.ts';

type Key = keyof typeof fleetMetrics;

/**
 * Why a record could not be read. `foreign`: an event that another version wrote, or something else. `compression`, `damaged`:
 * events in a batch that this Node.js cannot unpack, or that is broken. `state`: a record of the topic of state that is broken.
 */
export const FLEET_UNREADABLE_REASONS = ['foreign', 'compression', 'damaged', 'state'] as const;
export type FleetUnreadableReason = (typeof FLEET_UNREADABLE_REASONS)[number];

/** What the view reads of a partition. Times are Unix ms. */
export interface FleetPartitionFigures {
  readonly partition: number;
  readonly isShown: boolean;
  readonly lag: number;
  readonly watermarkAtMs: number | undefined;
  readonly stateAtMs: number | undefined;
}

export interface FleetFigures {
  readonly isMember: boolean;
  readonly partitions: number;
  readonly restoreMs: number | undefined;
  readonly unreadable: Readonly<Record<FleetUnreadableReason, number>>;
  /** How often another exporter took the name of this one. */
  readonly fenced: number;
  readonly owned: () => Iterable<FleetPartitionFigures>;
}

export class FleetView {
  readonly #group: PlainGroup;
  readonly #labels = new Map<number, Labels>();

  /** @param startTimeMs Unix ms since when it counts */
  constructor(figures: FleetFigures, startTimeMs: number) {
    const each =
      (value: (one: FleetPartitionFigures) => number | undefined): Write =>
      (sink) => {
        for (const one of figures.owned()) {
          const read = value(one);
          if (read !== undefined) sink.number(this.#labelsOf(one.partition), read);
        }
      };
    const seconds = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1_000);
    this.#group = new PlainGroup(startTimeMs, {
      fleetMember: single(Labels.none, () => (figures.isMember ? 1 : 0)),
      fleetPartitions: single(Labels.none, () => figures.partitions),
      fleetPartitionsOwned: single(Labels.none, () => [...figures.owned()].filter(({ isShown }) => isShown).length),
      fleetPartitionOwner: each(({ isShown }) => (isShown ? 1 : 0)),
      fleetRestore: single(Labels.none, () => seconds(figures.restoreMs)),
      fleetLag: each(({ lag }) => lag),
      fleetWatermarkTimestamp: each(({ watermarkAtMs }) => seconds(watermarkAtMs)),
      fleetStateTimestamp: each(({ stateAtMs }) => seconds(stateAtMs)),
      fleetUnreadable: (sink) => {
        for (const reason of FLEET_UNREADABLE_REASONS)
          sink.number(UNREADABLE_LABELS[reason], figures.unreadable[reason]);
      },
      fleetFenced: single(Labels.none, () => figures.fenced),
    } satisfies Record<Key, Write>);
  }

  collect(): FamilySource {
    this.#group.renew();
    return { metrics: METRICS, groups: [this.#group] };
  }

  #labelsOf(partition: number): Labels {
    let labels = this.#labels.get(partition);
    if (labels === undefined) this.#labels.set(partition, (labels = new Labels(['partition'], [String(partition)])));
    return labels;
  }
}

const UNREADABLE_LABELS = Object.fromEntries(
  FLEET_UNREADABLE_REASONS.map((reason) => [reason, new Labels(['reason'], [reason])]),
) as Readonly<Record<FleetUnreadableReason, Labels>>;

const METRICS: readonly Metric[] = Object.values(fleetMetrics);
