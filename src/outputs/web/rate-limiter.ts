/** One token bucket for all requests, as Go's `rate.Limiter`. */
import type { RateLimit } from '../../config/web/web-config.ts';

export class RateLimiter {
  readonly #elapsed: () => number;
  #limit: RateLimit | undefined;
  #tokens = 0;
  #countedAtMs = 0;

  /** @param elapsed milliseconds that only go forward; default `performance.now` */
  constructor(limit: RateLimit | undefined, elapsed: () => number = () => performance.now()) {
    this.#elapsed = elapsed;
    this.set(limit);
  }

  /** A new limit starts with all its tokens; the same one goes on with those that are left. */
  set(limit: RateLimit | undefined): void {
    if (limit?.intervalMs === this.#limit?.intervalMs && limit?.burst === this.#limit?.burst) return;
    this.#limit = limit;
    this.#tokens = limit?.burst ?? 0;
    this.#countedAtMs = this.#elapsed();
  }

  /** Whether one request more may be answered now. */
  take(): boolean {
    if (this.#limit === undefined) return true;
    const { intervalMs, burst } = this.#limit;
    const nowMs = this.#elapsed();
    this.#tokens = Math.min(burst, this.#tokens + (nowMs - this.#countedAtMs) / intervalMs);
    this.#countedAtMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
