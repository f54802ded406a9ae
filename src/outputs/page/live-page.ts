/** What keeps the page alive: once a second the past grows, and whoever has a page open is told what changed. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type TableHistory, TICK_MS } from '../../history/table-history.ts';
import { inTurns } from '../../in-turns.ts';
import { EventHub } from './event-hub.ts';
import type { PageFacts } from './page-facts.ts';

export interface LivePageOptions {
  readonly facts: PageFacts;
  readonly history: TableHistory;
  /** `now` in Unix ms. What `schedule` gives ends the wait. */
  readonly timers: { now(): number; schedule(work: () => void, delayMs: number): () => void };
  /** The exporter's version. */
  readonly version: string;
}

export class LivePage {
  readonly facts: PageFacts;
  readonly hub: EventHub;
  readonly version: string;
  readonly #options: LivePageOptions;
  #isStopped = false;
  #cancel: () => void = () => {};

  constructor(options: LivePageOptions) {
    this.#options = options;
    this.facts = options.facts;
    this.version = options.version;
    this.hub = new EventHub(options.facts, () => options.timers.now());
  }

  start(): void {
    if (this.#isStopped) return;
    this.#cancel = this.#options.timers.schedule(() => {
      void this.#tick().then(() => this.start());
    }, TICK_MS);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  async #tick(): Promise<void> {
    for (const _ of this.#options.history.tick()) await nextTurn();
    if (!this.#isStopped) await inTurns(this.hub.publish());
  }
}
