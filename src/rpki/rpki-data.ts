/** What one source of validated data said: VRPs and ASPAs, and how many there were in all. */
import { AspaSet } from './aspa-set.ts';
import type { RpkiScope } from './scope.ts';
import { type ReadVrp, VrpSet } from './vrp-set.ts';

/** Trust anchors that are told apart; what further ones issued counts as OTHER_TA. There are five in the world. */
export const MAX_TRUST_ANCHORS = 16;
export const OTHER_TA = 'other';
/** Where the source does not name the trust anchor: RTR never does. */
export const UNKNOWN_TA = 'unknown';

/** Closed list: it becomes a label. */
export const RPKI_CHANGES = ['vrp_added', 'vrp_removed', 'aspa_added', 'aspa_changed', 'aspa_removed'] as const;
export type RpkiChange = (typeof RPKI_CHANGES)[number];
export type RpkiChanges = Readonly<Record<RpkiChange, number>>;

export class RpkiData {
  readonly vrps: VrpSet;
  readonly aspas = new AspaSet();
  /** VRPs that were read and have not expired by then, kept or not, by trust anchor. */
  readonly perTrustAnchor = new Map<string, number>();
  /** Objects that are not a valid VRP or ASPA: host bits set, a length out of bounds, or a text that is not an AS number. */
  refused = 0;
  /** Set when the data must not be used because it is more than a set may hold. */
  isOverfull = false;
  readonly #nowS: number;
  readonly #former: RpkiData | undefined;
  /** VRPs that the data before this has too. */
  #common = 0;
  /** Customers with an ASPA that the data before this had at the beginning, how many of them are here, and for how many it is the same. */
  readonly #formerAspas: number;
  #knownAspas = 0;
  #sameAspas = 0;

  /**
   * @param nowS Unix seconds; what has expired by then is left out
   * @param former what this data is to replace: what is new against it is counted as it comes
   */
  constructor(scope: RpkiScope, nowS: number, former?: RpkiData) {
    this.vrps = new VrpSet(scope);
    this.#nowS = nowS;
    this.#former = former?.vrps.scope === scope ? former : undefined;
    this.#formerAspas = this.#former?.aspas.size ?? 0;
  }

  /** All VRPs that were read, kept or not. */
  get total(): number {
    let total = 0;
    for (const count of this.perTrustAnchor.values()) total += count;
    return total;
  }

  addVrp(vrp: ReadVrp, trustAnchor: string): void {
    if (vrp.expiresS !== 0 && vrp.expiresS <= this.#nowS) return;
    const addition = this.vrps.add(vrp);
    if (addition === 'full') this.isOverfull = true;
    if (addition === 'added' && this.#former?.vrps.has(vrp)) this.#common++;
    this.count(trustAnchor, 1);
  }

  /** What is new compared with the data before it, among the VRPs that both keep; undefined when there is no such data, or it had another scope. */
  changes(): RpkiChanges | undefined {
    const former = this.#former;
    if (former === undefined) return undefined;
    return {
      vrp_added: this.vrps.size - this.#common,
      vrp_removed: former.vrps.size - this.#common,
      aspa_added: this.aspas.size - this.#knownAspas,
      aspa_changed: this.#knownAspas - this.#sameAspas,
      aspa_removed: this.#formerAspas - this.#knownAspas,
    };
  }

  /** Counts a VRP of a trust anchor that came or went. */
  count(trustAnchor: string, change: 1 | -1): void {
    const known = this.perTrustAnchor.get(trustAnchor);
    const hasRoom = known !== undefined || this.perTrustAnchor.size < MAX_TRUST_ANCHORS;
    const name = hasRoom ? trustAnchor : OTHER_TA;
    this.perTrustAnchor.set(name, Math.max(0, (this.perTrustAnchor.get(name) ?? 0) + change));
  }

  /** A further object of one customer adds to what the first one says. */
  addAspa(customer: number, providers: readonly number[], expiresS: number): void {
    if (expiresS !== 0 && expiresS <= this.#nowS) return;
    this.#changeAspa(customer, () => this.aspas.merge(customer, providers, expiresS));
  }

  /** Sets what a customer says, in place of what was said before. */
  setAspa(customer: number, providers: readonly number[]): void {
    this.#changeAspa(customer, () => this.aspas.replace(customer, providers));
  }

  /** Compares with the data before this as it comes: comparing two whole sets at the end would hold others up. */
  #changeAspa(customer: number, change: () => boolean): void {
    const former = this.#former?.aspas;
    const isFirst = this.aspas.providers(customer) === undefined;
    const wasSame = former !== undefined && !isFirst && this.aspas.agrees(customer, former);
    if (!change()) {
      this.isOverfull = true;
      return;
    }
    if (former === undefined) return;
    if (isFirst && former.providers(customer) !== undefined) this.#knownAspas++;
    this.#sameAspas += Number(this.aspas.agrees(customer, former)) - Number(wasSame);
  }
}
