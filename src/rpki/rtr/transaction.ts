/**
 * What a cache says between Cache Response and End of Data: nothing of it counts before the end (RFC 8210 section 5.4). An
 * answer to a Reset Query makes new data, one to a Serial Query changes what is held.
 */
import type { RpkiChanges, RpkiData } from '../rpki-data.ts';
import { UNKNOWN_TA } from '../rpki-data.ts';
import type { ReadVrp } from '../vrp-set.ts';

/** PDUs of one answer: four times what the RPKI had in 2026. */
export const MAX_ANSWER_PDUS = 4_000_000;
/**
 * Differences that are kept until the end; a cache with more of them is asked for everything. They count all at once, so they
 * are applied in one turn of the event loop: this many take some 15 ms while the code is not compiled yet, 3 ms afterwards.
 * An hour brings some thousand in the whole RPKI.
 */
export const MAX_DIFFERENCES = 4_000;
/** Providers in these differences: one ASPA may name 16,384. The whole RPKI has some ten thousand. */
export const MAX_DIFFERENCE_PROVIDERS = 65_536;

/**
 * `unknown` and `duplicate` are what RFC 8210 calls an error. `empty`: nothing would be left, as of a cache that has lost its
 * validator; that must not replace what is good.
 */
export type TransactionFault = 'unknown' | 'duplicate' | 'too_large' | 'empty';

/** What an answer did. */
export interface TransactionResult {
  readonly data: RpkiData;
  /** Undefined: there was nothing to compare with. */
  readonly changes: RpkiChanges | undefined;
}

type Difference =
  | { readonly vrp: ReadVrp; readonly announce: boolean }
  | { readonly customer: number; readonly providers: readonly number[] | undefined };

export class Transaction {
  readonly #data: RpkiData;
  readonly #isReset: boolean;
  readonly #differences: Difference[] = [];
  /** Providers that these name. */
  #providers = 0;
  #pdus = 0;

  /** @param data of a reset: empty, filled as the answer comes; else what is held */
  constructor(data: RpkiData, isReset: boolean) {
    this.#data = data;
    this.#isReset = isReset;
  }

  prefix(vrp: ReadVrp, announce: boolean): TransactionFault | undefined {
    if (++this.#pdus > MAX_ANSWER_PDUS) return 'too_large';
    if (!this.#isReset) return this.#note({ vrp, announce });
    if (!announce) return 'unknown';
    const { size } = this.#data.vrps;
    this.#data.addVrp(vrp, UNKNOWN_TA);
    if (this.#data.isOverfull) return 'too_large';
    return this.#data.vrps.size === size && this.#isKept(vrp) ? 'duplicate' : undefined;
  }

  /** @param providers undefined: withdrawn */
  aspa(customer: number, providers: readonly number[] | undefined): TransactionFault | undefined {
    if (++this.#pdus > MAX_ANSWER_PDUS) return 'too_large';
    if (!this.#isReset) {
      this.#providers += providers?.length ?? 0;
      return this.#providers > MAX_DIFFERENCE_PROVIDERS ? 'too_large' : this.#note({ customer, providers });
    }
    if (providers === undefined) return 'unknown';
    this.#data.setAspa(customer, providers);
    return this.#data.isOverfull ? 'too_large' : undefined;
  }

  /** The answer is complete. When one of the differences is wrong, none of them is applied. */
  end(): TransactionResult | TransactionFault {
    const data = this.#data;
    const changes = { vrp_added: 0, vrp_removed: 0, aspa_added: 0, aspa_changed: 0, aspa_removed: 0 };
    const undo: (() => void)[] = [];
    let fault: TransactionFault | undefined;
    for (const one of this.#differences) {
      fault = 'vrp' in one ? this.#applyVrp(one, changes, undo) : this.#applyAspa(one, changes, undo);
      if (fault !== undefined) break;
    }
    if (fault === undefined && data.total === 0 && data.aspas.size === 0) fault = 'empty';
    if (fault === undefined) return { data, changes: this.#isReset ? data.changes() : changes };
    for (const step of undo.reverse()) step();
    return fault;
  }

  #note(difference: Difference): TransactionFault | undefined {
    if (this.#differences.length >= MAX_DIFFERENCES) return 'too_large';
    this.#differences.push(difference);
    return undefined;
  }

  #isKept({ afi, words, length }: ReadVrp): boolean {
    return this.#data.vrps.scope.concerns(afi, words, length);
  }

  /** VRPs that concern no monitored prefix are counted and nothing else: whether they were there is not known. */
  #applyVrp(
    { vrp, announce }: Extract<Difference, { vrp: ReadVrp }>,
    changes: Record<'vrp_added' | 'vrp_removed', number>,
    undo: (() => void)[],
  ): TransactionFault | undefined {
    const { vrps } = this.#data;
    if (this.#isKept(vrp)) {
      if (announce) {
        const addition = vrps.add(vrp);
        if (addition === 'full') return 'too_large';
        if (addition === 'present') return 'duplicate';
        changes.vrp_added++;
        undo.push(() => vrps.remove(vrp));
      } else {
        if (!vrps.remove(vrp)) return 'unknown';
        changes.vrp_removed++;
        undo.push(() => vrps.add(vrp));
      }
    }
    this.#data.count(UNKNOWN_TA, announce ? 1 : -1);
    undo.push(() => this.#data.count(UNKNOWN_TA, announce ? -1 : 1));
    return undefined;
  }

  #applyAspa(
    { customer, providers }: Extract<Difference, { customer: number }>,
    changes: Record<'aspa_added' | 'aspa_changed' | 'aspa_removed', number>,
    undo: (() => void)[],
  ): TransactionFault | undefined {
    const { aspas } = this.#data;
    const former = aspas.providers(customer);
    if (providers === undefined) {
      if (former === undefined) return 'unknown';
      aspas.remove(customer);
      changes.aspa_removed++;
    } else {
      if (!aspas.replace(customer, providers)) return 'too_large';
      changes[former === undefined ? 'aspa_added' : 'aspa_changed']++;
    }
    undo.push(() => (former === undefined ? aspas.remove(customer) : aspas.replace(customer, former)));
    return undefined;
  }
}
