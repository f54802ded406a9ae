/** The sources of validated data, in their order: the first usable one answers, the others are kept warm. */
import type { AsOrSet } from '../bgp/as-path.ts';
import type { Prefix } from '../bgp/prefix.ts';
import { type Validity, validate } from './origin-validation.ts';
import type { RpkiData } from './rpki-data.ts';
import { RpkiScope } from './scope.ts';
import type { RpkiSourceState } from './source-state.ts';

/** One place where validated data comes from. */
export interface RpkiSource {
  readonly state: RpkiSourceState;
  start(): void;
  /** Sets which prefixes matter. */
  watch(scope: RpkiScope): void;
  stop(): Promise<void>;
}

/** What verdicts are made of now. */
export interface UsableData {
  readonly data: RpkiData;
  /** The source's place in the list. */
  readonly place: number;
  /** When it was made, Unix ms. */
  readonly dataAtMs: number | undefined;
}

export class ValidatedData {
  readonly sources: readonly RpkiSource[];
  #place = -1;
  #version = -1;
  #edition = 0;

  /** @param make makes the sources, which read what concerns the scope */
  constructor(monitored: readonly Prefix[], make: (scope: RpkiScope) => readonly RpkiSource[]) {
    this.sources = make(new RpkiScope(monitored));
  }

  start(): void {
    for (const source of this.sources) source.start();
  }

  /** Has the listener called whenever a source has answered with news. There is one listener at most. */
  onNews(listener: () => void): void {
    for (const { state } of this.sources) state.onNews = listener;
  }

  /** Sets which prefixes are monitored. */
  watch(monitored: readonly Prefix[]): void {
    const scope = new RpkiScope(monitored);
    for (const source of this.sources) source.watch(scope);
  }

  async stop(): Promise<void> {
    await Promise.all(this.sources.map((source) => source.stop()));
  }

  /** Undefined: no source has data that is fresh enough. @param nowMs Unix ms */
  usable(nowMs: number): UsableData | undefined {
    const place = this.sources.findIndex(({ state }) => state.isUsable(nowMs));
    const state = this.sources[place]?.state;
    state?.expire(nowMs);
    if (place !== this.#place || (state?.version ?? -1) !== this.#version) {
      this.#place = place;
      this.#version = state?.version ?? -1;
      this.#edition++;
    }
    return state?.data === undefined ? undefined : { data: state.data, place, dataAtMs: state.dataAtMs };
  }

  /**
   * What is said of an origin of a prefix; undefined: no data is fresh enough, or it was read before the prefix came.
   * @param nowMs Unix ms
   * @param monitored the monitored prefix that a more-specific lies inside
   */
  validity(prefix: Prefix, origin: AsOrSet, nowMs: number, monitored = prefix): Validity | undefined {
    const data = this.usable(nowMs)?.data;
    if (data?.vrps.scope.prefixes.has(monitored.text) !== true) return undefined;
    return validate(data.vrps.covering(prefix, nowMs / 1_000), prefix.length, origin);
  }

  /** Grows when `usable` gave something else than before; to be read after it. */
  get edition(): number {
    return this.#edition;
  }
}
