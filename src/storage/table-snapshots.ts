/** The snapshots of a running exporter: read at its start, written at intervals and when it stops. */
import { systemCode, systemReason } from '../errors/system-error.ts';
import { ConfigError } from '../errors.ts';
import type { TableHistory } from '../history/table-history.ts';
import type { Logger } from '../logger.ts';
import type { RoutingTable } from '../table/routing-table.ts';
import { FIRST_SOURCE } from '../table/snapshot/snapshot.ts';
import { HistoryStore } from './history-store.ts';
import { type RestoreOutcome, SnapshotStore } from './snapshot-store.ts';

/** Errors of a file system that pass. */
const DISK_FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

/** How seldom the history is written. All of it is written each time, and a crash loses only pictures, not routes. */
const HISTORY_INTERVAL_MS = 10 * 60_000;

/** Until when the table is complete (Unix ms), by the name of a source, then by prefix. */
export type CompleteUntil = Readonly<Record<string, Readonly<Record<string, number>>>>;

export interface TableSnapshotsOptions {
  /** `storage.path`. */
  readonly folder: string;
  readonly intervalMs: number;
  readonly table: RoutingTable;
  /** The past of the prefixes, in a file beside the table's; undefined: none is kept. */
  readonly history: () => TableHistory | undefined;
  /** What is counted, mutable. */
  readonly figures: {
    readonly snapshots: Record<'success' | 'error', number>;
    readonly restores: Record<RestoreOutcome['result'], number>;
    /** Unix ms. */
    snapshotAtMs: number | undefined;
    restoredFromMs: number | undefined;
  };
  /** `now` in Unix ms. What `schedule` gives ends the wait. */
  readonly timers: { now(): number; schedule(work: () => void, delayMs: number): () => void };
  /** How far a right clock is ahead of `timers.now`, ms: the next process may have another clock. */
  readonly aheadMs: () => number;
  readonly completeUntil: () => CompleteUntil;
  readonly onRestored: (completeUntil: CompleteUntil) => void;
  readonly logger: Logger;
}

export class TableSnapshots {
  readonly #options: TableSnapshotsOptions;
  readonly #store: SnapshotStore;
  readonly #historyStore: HistoryStore;
  #historyAtMs: number;
  #intervalMs: number;
  #isStopped = false;
  #isSaving = false;
  #cancel: () => void = () => {};

  constructor(options: TableSnapshotsOptions) {
    this.#options = options;
    this.#store = new SnapshotStore(options.folder);
    this.#historyStore = new HistoryStore(options.folder);
    this.#historyAtMs = options.timers.now();
    this.#intervalMs = options.intervalMs;
  }

  /**
   * Tries whether snapshots can be written, and restores the newest one. A full disk does not end the start, because it may have room again.
   * @throws ConfigError when the folder cannot be written to
   */
  async open(): Promise<void> {
    const { folder, figures, logger } = this.#options;
    try {
      await this.#store.tryFolder();
    } catch (error) {
      const reason = systemReason(error);
      const code = systemCode(error) ?? '';
      if (!DISK_FULL.has(code))
        throw new ConfigError([`storage.path: ${folder} cannot be written to: ${reason}`], error);
      figures.snapshots.error++;
      logger.error('storage.path has no room: snapshots cannot be written until it has', { path: folder, reason });
    }
    await this.#restore();
  }

  /** Writes one at each interval from now on. */
  start(): void {
    if (this.#isStopped) return;
    this.#cancel = this.#options.timers.schedule(() => {
      this.#cancel = () => {};
      this.#isSaving = true;
      void this.#save(false).then(() => {
        this.#isSaving = false;
        this.start();
      });
    }, this.#intervalMs);
  }

  /** The interval that runs begins again. */
  setInterval(intervalMs: number): void {
    this.#intervalMs = intervalMs;
    this.#cancel();
    if (!this.#isSaving) this.start();
  }

  /** Ends the interval: a stop has begun. Then `close`. */
  end(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  /** Writes the last one, when nothing is counted any more, and lets go of the folder. */
  async close(): Promise<void> {
    this.end();
    await this.#save(true);
    await this.unlock();
  }

  /** Another exporter may use the folder from now on. */
  async unlock(): Promise<void> {
    await this.#store.unlock();
  }

  async #restore(): Promise<void> {
    const { folder, table, figures, timers, onRestored, logger } = this.#options;
    const holder = await this.#store.lock(true);
    if (holder !== undefined) {
      logger.warn(
        'storage.path is used by another exporter: this one neither reads nor writes snapshots until it is free; give each exporter a folder of its own',
        { path: folder, holder },
      );
      return;
    }
    const nowMs = timers.now();
    await this.#restoreHistory(nowMs);
    const outcome = await this.#store.restore(table, nowMs, nowMs - table.options.expectedWindowMs);
    figures.restores[outcome.result]++;
    if (outcome.result === 'success') {
      const { createdAtMs, sources = [] } = outcome.meta;
      figures.snapshotAtMs = createdAtMs;
      figures.restoredFromMs = createdAtMs;
      onRestored(Object.fromEntries(sources.map(({ name, completeUntil }) => [name, completeUntil])));
      const age = Math.round((nowMs - createdAtMs) / 1000);
      logger.info('table restored', { routes: table.routes, age_seconds: age });
    } else if (outcome.result === 'missing') {
      logger.info('no snapshot yet', { file: this.#store.file });
    } else {
      const fields = { result: outcome.result, file: this.#store.file, set_aside_as: outcome.asideAs };
      logger.warn('the snapshot cannot be used and was set aside; the table starts empty', fields);
    }
  }

  async #restoreHistory(nowMs: number): Promise<void> {
    const { logger } = this.#options;
    const history = this.#options.history();
    if (history === undefined) return;
    const outcome = await this.#historyStore.restore(history, nowMs);
    if (outcome !== 'corrupt') return;
    logger.warn('the history of the prefixes cannot be read and was set aside', { file: this.#historyStore.file });
  }

  async #saveHistory(final: boolean, aheadMs: number): Promise<void> {
    const { timers, logger } = this.#options;
    const history = this.#options.history();
    const nowMs = timers.now();
    if (history === undefined || (!final && nowMs - this.#historyAtMs < HISTORY_INTERVAL_MS)) return;
    this.#historyAtMs = nowMs;
    try {
      await this.#historyStore.save(history, nowMs, aheadMs);
    } catch (error) {
      const { file } = this.#historyStore;
      logger.error('the history of the prefixes could not be written', { file, reason: systemReason(error) });
    }
  }

  async #save(final: boolean): Promise<void> {
    const { folder, table, figures, timers, logger } = this.#options;
    let createdAtMs = 0;
    try {
      const aheadMs = this.#options.aheadMs();
      const meta = () => {
        createdAtMs = timers.now();
        const until = this.#options.completeUntil();
        const sources = table.ownership.sources.map((name) => ({ name, completeUntil: later(until[name], aheadMs) }));
        const completeUntil = sources.find(({ name }) => name === FIRST_SOURCE)?.completeUntil ?? {};
        return { createdAtMs: createdAtMs + aheadMs, completeUntil, sources, final };
      };
      const holder = await this.#store.lock();
      if (holder !== undefined) {
        figures.snapshots.error++;
        logger.error('no snapshot was written: storage.path is used by another exporter', { path: folder, holder });
        return;
      }
      await this.#store.save(table, meta, aheadMs);
      figures.snapshots.success++;
      figures.snapshotAtMs = createdAtMs;
      await this.#saveHistory(final, aheadMs);
    } catch (error) {
      figures.snapshots.error++;
      const { file } = this.#store;
      const kept = await this.#store.exists();
      const message = `the snapshot could not be written; ${kept ? 'the one before it is kept' : 'there is none'}`;
      logger.error(message, { file, reason: systemReason(error), error: String(error) });
    }
  }
}

function later(times: Readonly<Record<string, number>> = {}, byMs: number): Record<string, number> {
  return Object.fromEntries(Object.entries(times).map(([prefix, ms]) => [prefix, ms + byMs]));
}
