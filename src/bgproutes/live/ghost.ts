/**
 * A session of ours that has ended and that the service may still count as open: it then refuses the next one of the same key,
 * and says that there is another session. No other client is in the way, so the next attempt follows by a pace of its own.
 */
import { Backoff, type BackoffOptions } from '../../stream/backoff.ts';
import type { Timers } from '../../stream/timers.ts';
import type { AttemptFailure } from '../../stream/websocket-session.ts';
import { refusalMeaning } from './association/refusal.ts';

/** How long the service may still count a connection of ours that has ended as open. */
const GHOST_MS = 5 * 60_000;

export class Ghost {
  readonly #timers: Timers;
  readonly #backoff: Backoff;
  /** Until when a session of ours was open, by `elapsed`. */
  #openUntilMs = Number.NEGATIVE_INFINITY;

  constructor(timers: Timers, backoff: BackoffOptions) {
    this.#timers = timers;
    this.#backoff = new Backoff(backoff, () => timers.random());
  }

  /** A session of ours is open now, or was until now. */
  seen(): void {
    this.#openUntilMs = this.#timers.elapsed();
  }

  /** The key is another one, and no session of ours is known by it. */
  forget(): void {
    this.#openUntilMs = Number.NEGATIVE_INFINITY;
  }

  /** A connection was accepted: the next ghost is waited for from the beginning. */
  passed(): void {
    this.#backoff.reset();
  }

  /** Whether the session that is in the way may be one of ours that the service has not buried yet. */
  isMet({ refused, detail }: Pick<AttemptFailure, 'refused' | 'detail'>): boolean {
    if (!refused || this.#timers.elapsed() - this.#openUntilMs >= GHOST_MS) return false;
    return refusalMeaning(detail) === 'another_session';
  }

  /** How long to wait for it to go, ms. */
  nextDelayMs(): number {
    return this.#backoff.next();
  }
}
