/** The Data API's limits of one key: requests, server time and bytes per hour, and queries at a time. */

export interface ApiLimits {
  readonly requestsPerHour: number;
  readonly serverSecondsPerHour: number;
  readonly bytesPerHour: number;
  readonly queriesAtATime: number;
}

/** As the service publishes them. */
export const SERVICE_LIMITS: ApiLimits = {
  requestsPerHour: 1_000,
  serverSecondsPerHour: 300,
  bytesPerHour: 100_000_000,
  queriesAtATime: 1,
};

const HOUR_MS = 3_600_000;

export class ApiQuota {
  readonly #limits: ApiLimits;
  readonly #now: () => number;
  #windowStartMs = Number.NEGATIVE_INFINITY;
  #requests = 0;
  #serverSeconds = 0;
  #bytes = 0;
  #underWay = 0;

  constructor(limits: ApiLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Why a query may not start now; undefined when it may, and then `finish` must be called at its end. */
  start(): { readonly status: 429; readonly detail: string } | undefined {
    if (this.#now() - this.#windowStartMs >= HOUR_MS) {
      this.#windowStartMs = this.#now();
      this.#requests = 0;
      this.#serverSeconds = 0;
      this.#bytes = 0;
    }
    const limit = this.#exceeded();
    if (limit !== undefined) return { status: 429, detail: `Rate limit exceeded: ${limit}` };
    this.#requests++;
    this.#underWay++;
    return undefined;
  }

  #exceeded(): string | undefined {
    const { queriesAtATime, requestsPerHour, serverSecondsPerHour, bytesPerHour } = this.#limits;
    if (this.#underWay >= queriesAtATime) return `${queriesAtATime} query at a time per API key`;
    if (this.#requests >= requestsPerHour) return `${requestsPerHour} requests per hour`;
    if (this.#serverSeconds >= serverSecondsPerHour) return `${serverSecondsPerHour} s of server time per hour`;
    if (this.#bytes >= bytesPerHour) return `${bytesPerHour} bytes per hour`;
    return undefined;
  }

  finish(serverSeconds: number, bytes: number): void {
    this.#underWay--;
    this.#serverSeconds += serverSeconds;
    this.#bytes += bytes;
  }
}
