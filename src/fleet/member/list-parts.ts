/** The list of VPs, which comes in several records and means something only as a whole. */
import type { HistoryVp } from '../../stream/history.ts';
import { BOUNDS } from '../../table/bounds.ts';
import type { Control } from '../records.ts';
import type { Position } from './state-record.ts';

export class ListParts {
  readonly #maxVps: number;
  #from: Position | undefined;
  #vps: HistoryVp[] = [];
  #parts = 0;

  /** @param maxVps of one list. Default: as many as a table may have */
  constructor(maxVps: number = BOUNDS.vps.most) {
    this.#maxVps = maxVps;
  }

  /** Where the first part of the list was that is under way; undefined: none is. */
  get from(): Position | undefined {
    return this.#from;
  }

  /** Parts were lost, or are not wanted. */
  forget(): void {
    this.#from = undefined;
    this.#vps = [];
    this.#parts = 0;
  }

  /** Takes a part. Gives the list with its last part; undefined: it is not whole, `too_many`: it has more VPs than a list may. */
  take(control: Control & { readonly type: 'vps' }, at: Position): readonly HistoryVp[] | 'too_many' | undefined {
    if (control.part === 0) {
      this.forget();
      this.#from = at;
    }
    // A list without its beginning would call the VPs gone that stood there.
    if (this.#from === undefined || this.#parts !== control.part) return undefined;
    const isTooLong = this.#vps.length + control.vps.length > this.#maxVps;
    if (!isTooLong) for (const vp of control.vps) this.#vps.push(vp);
    this.#parts++;
    if (!isTooLong && control.part + 1 < control.parts) return undefined;
    const list = this.#vps;
    this.forget();
    return isTooLong ? 'too_many' : list;
  }
}
