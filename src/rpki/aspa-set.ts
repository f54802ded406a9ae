/**
 * Autonomous System Provider Authorizations (draft-ietf-sidrops-aspa-profile-29): a customer AS, and all ASes that may be its
 * provider. All are kept: the whole RPKI has some thousand, and any of them can be in a path.
 */

/** Customers of one set. More than twenty times what the RPKI had in 2026. */
export const MAX_ASPA_CUSTOMERS = 100_000;
/** Providers of one customer; the largest in 2026 had 225. */
export const MAX_ASPA_PROVIDERS = 16_384;
/** Providers of all customers together. */
export const MAX_ASPA_PAIRS = 2_000_000;

/** What a customer says of another AS (draft-ietf-sidrops-aspa-verification-28 section 4). */
export type Authorization = 'no_attestation' | 'provider' | 'not_provider';

interface Attestation {
  /** Ascending, without 0. Empty: the customer has no provider. */
  readonly providers: readonly number[];
  /** Unix seconds; 0: not said. */
  readonly expiresS: number;
}

export class AspaSet {
  readonly #byCustomer = new Map<number, Attestation>();
  #pairs = 0;
  #firstExpiryS = Number.POSITIVE_INFINITY;
  /** Grows whenever the set changes. */
  version = 0;

  /** Customers. */
  get size(): number {
    return this.#byCustomer.size;
  }

  get customers(): IterableIterator<number> {
    return this.#byCustomer.keys();
  }

  /** Ascending, without 0; undefined: the AS has no ASPA. */
  providers(customer: number): readonly number[] | undefined {
    return this.#byCustomer.get(customer)?.providers;
  }

  /**
   * Adds providers: two objects of one customer are merged (section 5.2 of the verification draft).
   * @returns false when the set has no room; it must not be used then
   */
  merge(customer: number, providers: readonly number[], expiresS = 0): boolean {
    const known = this.#byCustomer.get(customer);
    if (known === undefined) return this.replace(customer, providers, expiresS);
    const later = known.expiresS === 0 || expiresS === 0 ? 0 : Math.max(known.expiresS, expiresS);
    return this.replace(customer, [...known.providers, ...providers], later);
  }

  /** Sets the providers in place of what is there. Returns as `merge` does. */
  replace(customer: number, providers: readonly number[], expiresS = 0): boolean {
    const known = this.#byCustomer.get(customer);
    const distinct = [...new Set(providers)].filter((asn) => asn !== 0).sort((a, b) => a - b);
    const pairs = this.#pairs + distinct.length - (known?.providers.length ?? 0);
    const isNew = known === undefined;
    if (distinct.length > MAX_ASPA_PROVIDERS || pairs > MAX_ASPA_PAIRS) return false;
    if (isNew && this.size >= MAX_ASPA_CUSTOMERS) return false;
    this.#byCustomer.set(customer, { providers: distinct, expiresS });
    this.#pairs = pairs;
    if (expiresS !== 0) this.#firstExpiryS = Math.min(this.#firstExpiryS, expiresS);
    if (isNew || !sameNumbers(known.providers, distinct)) this.version++;
    return true;
  }

  /** False: the customer had none. */
  remove(customer: number): boolean {
    const known = this.#byCustomer.get(customer);
    if (known === undefined) return false;
    this.#byCustomer.delete(customer);
    this.#pairs -= known.providers.length;
    this.version++;
    return true;
  }

  /** Drops what has expired by now. Gives how many customers went. */
  expire(nowS: number): number {
    if (nowS < this.#firstExpiryS) return 0;
    const { size } = this;
    this.#firstExpiryS = Number.POSITIVE_INFINITY;
    for (const [customer, { expiresS }] of this.#byCustomer) {
      if (expiresS === 0) continue;
      if (expiresS <= nowS) this.remove(customer);
      else this.#firstExpiryS = Math.min(this.#firstExpiryS, expiresS);
    }
    return size - this.size;
  }

  authorized(customer: number, provider: number): Authorization {
    const providers = this.providers(customer);
    if (providers === undefined) return 'no_attestation';
    let from = 0;
    let to = providers.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (providers[middle] < provider) from = middle + 1;
      else to = middle;
    }
    return providers[from] === provider ? 'provider' : 'not_provider';
  }

  /** Whether this set and another say the same of a customer. */
  agrees(customer: number, other: AspaSet): boolean {
    const ours = this.providers(customer);
    const theirs = other.providers(customer);
    return ours === theirs || (ours !== undefined && theirs !== undefined && sameNumbers(ours, theirs));
  }

  /** Says of a customer from now on what another set says, which shares the memory. Whether that is something else than before. */
  follow(customer: number, other: AspaSet): boolean {
    const isOther = !this.agrees(customer, other);
    const theirs = other.#byCustomer.get(customer);
    if (theirs === undefined) this.remove(customer);
    else {
      this.#pairs += theirs.providers.length - (this.providers(customer)?.length ?? 0);
      this.#byCustomer.set(customer, theirs);
      if (isOther) this.version++;
    }
    return isOther;
  }
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i]);
}
