/** The hourly limits of a key, kept from our side so that the service does not have to. */

export interface QuotaLimits {
  /** Default 1000. */
  readonly requests: number;
  /** Server time, as the answers state it, ms. Default 5 minutes. */
  readonly serverMs: number;
  /** Bytes as the answers state them. Default 100 MB. */
  readonly bytes: number;
  /** Default one hour, ms. */
  readonly windowMs: number;
}

export const DEFAULT_QUOTA: QuotaLimits = {
  requests: 1000,
  serverMs: 300_000,
  bytes: 100_000_000,
  windowMs: 3_600_000,
};

/** What one request cost. */
interface Charge {
  readonly atMs: number;
  serverMs: number;
  bytes: number;
}

/** Sliding window: at any moment at most the limits within the last hour, whenever the service's own hour begins. */
export class Quota {
  readonly #limits: QuotaLimits;
  readonly #charges: Charge[] = [];

  constructor(limits: QuotaLimits) {
    this.#limits = limits;
  }

  /** How long the next request has to wait, ms; 0 when it may go. What it will cost is not known before. */
  waitMs(nowMs: number): number {
    this.#forget(nowMs);
    const limits = this.#limits;
    const charges = this.#charges;
    let [requests, serverMs, bytes] = [charges.length, 0, 0];
    for (const charge of charges) {
      serverMs += charge.serverMs;
      bytes += charge.bytes;
    }
    for (const charge of charges) {
      if (requests < limits.requests && serverMs < limits.serverMs && bytes < limits.bytes) break;
      requests--;
      serverMs -= charge.serverMs;
      bytes -= charge.bytes;
      // Until this one is forgotten.
      if (requests < limits.requests && serverMs < limits.serverMs && bytes < limits.bytes) {
        return charge.atMs + limits.windowMs - nowMs;
      }
    }
    return 0;
  }

  /** A request goes. Call the result with its cost when the answer tells it. */
  start(nowMs: number): (serverMs: number, bytes: number) => void {
    const charge: Charge = { atMs: nowMs, serverMs: 0, bytes: 0 };
    this.#charges.push(charge);
    return (serverMs, bytes) => {
      charge.serverMs = serverMs;
      charge.bytes = bytes;
    };
  }

  /** What was used within the last window. `share` is the used part of the limit that is nearest to its end, 1 when it is reached. */
  used(nowMs: number): {
    readonly requests: number;
    readonly serverMs: number;
    readonly bytes: number;
    readonly share: number;
  } {
    this.#forget(nowMs);
    const limits = this.#limits;
    const requests = this.#charges.length;
    const serverMs = this.#charges.reduce((sum, charge) => sum + charge.serverMs, 0);
    const bytes = this.#charges.reduce((sum, charge) => sum + charge.bytes, 0);
    const share = Math.max(requests / limits.requests, serverMs / limits.serverMs, bytes / limits.bytes);
    return { requests, serverMs, bytes, share };
  }

  #forget(nowMs: number): void {
    // Charges from the future were made before the clock was set back; they are kept until their time has passed.
    while (this.#charges.length > 0 && this.#charges[0].atMs + this.#limits.windowMs <= nowMs) this.#charges.shift();
  }
}
