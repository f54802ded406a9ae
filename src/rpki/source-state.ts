/** What is known of one source of validated data, and how its reading went. */
import { RPKI_CHANGES, type RpkiChange, type RpkiChanges, type RpkiData } from './rpki-data.ts';

/** What an attempt to read a source gave. Closed list: it becomes a label. Only `success` replaces the data. */
export const RPKI_RESULTS = [
  'success',
  'unchanged', // the source has nothing new, and said so
  'empty', // no VRP and no ASPA: taken for a fault of the source
  'truncated', // it ended too early
  'unreadable', // not JSON, or JSON of another form
  'too_large', // more than the bounds allow
  'unavailable', // no connection, or an HTTP status that means an error
  'timeout',
  'no_data', // the cache has not validated anything yet
  'cache_reset', // the cache cannot tell what changed: everything is read again
  'new_session', // the cache was restarted: everything is read again
  'error_report',
  'protocol_error',
] as const;
export type RpkiResult = (typeof RPKI_RESULTS)[number];

export class RpkiSourceState {
  /** Whether the last attempt was answered. */
  isUp = false;
  /** Whether attempts have failed since the last answer, so that the next one waits. */
  hasFailed = false;
  data: RpkiData | undefined;
  /** When the data was made, as far as the source tells, else when it was read; Unix ms. */
  dataAtMs: number | undefined;
  /** When the source last answered, with news or without; Unix ms. */
  updatedAtMs: number | undefined;
  /** The data must not be used from then on, Unix ms. */
  usableUntilMs = Number.NEGATIVE_INFINITY;
  readonly results = zeros(RPKI_RESULTS);
  readonly changes: Record<RpkiChange, number> = zeros(RPKI_CHANGES);
  /** Grows with every change of the data. */
  version = 0;
  /** Called when the source has answered with news. */
  onNews = () => {};

  isUsable(nowMs: number): boolean {
    return this.data !== undefined && nowMs < this.usableUntilMs;
  }

  /** New data is there. */
  replaced(data: RpkiData): void {
    this.data = data;
    this.changed(data.changes());
  }

  /** The data has changed in place. */
  changed(changes: RpkiChanges | undefined): void {
    this.version++;
    if (changes !== undefined) for (const change of RPKI_CHANGES) this.changes[change] += changes[change];
  }

  /** The source answered: the data that is held is what it has. */
  confirmed(result: 'success' | 'unchanged', nowMs: number, dataAtMs: number | undefined, usableUntilMs: number): void {
    this.results[result]++;
    this.isUp = true;
    this.updatedAtMs = nowMs;
    this.dataAtMs = dataAtMs;
    this.usableUntilMs = usableUntilMs;
    if (result === 'success') this.onNews();
  }

  failed(result: Exclude<RpkiResult, 'success' | 'unchanged'>): void {
    this.results[result]++;
    this.isUp = false;
  }

  /** Drops ASPAs that have expired by now, Unix ms. Expired VRPs are left out at each look-up. */
  expire(nowMs: number): void {
    if ((this.data?.aspas.expire(nowMs / 1_000) ?? 0) > 0) this.version++;
  }
}

function zeros<K extends string>(keys: readonly K[]): Record<K, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>;
}
