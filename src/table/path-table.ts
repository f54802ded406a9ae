/**
 * AS paths held now, each once: path text to a small integer, and per integer what the totals need. Paths are counted by
 * the routes that hold them and leave with the last one, so that years of route changes do not fill the memory.
 */
import { formatAsPath, parseAsPath, pathFacts } from '../bgp/as-path.ts';
import { TextIndex } from './text-index.ts';

/** `upstream` of a path that has none. */
export const NO_UPSTREAM = -1;
/** AS_SETs get numbers from here on, so that an origin or upstream is always one number: an ASN below, a set above. */
const FIRST_SET = 2 ** 32;

/** The facts of the paths by path number, in plain arrays for the fold. Number 0 is never given out: it means no route. */
export class PathTable {
  readonly #index = new TextIndex();
  readonly #free: number[] = [];
  /** Canonical text; where the origin is the VP's own AS, a line feed (in no path or decoded text) and that AS follow. */
  readonly #identities: string[] = [''];
  readonly #texts: string[] = [''];
  readonly #references: number[] = [0];
  readonly origins: number[] = [0];
  readonly upstreams: number[] = [NO_UPSTREAM];
  readonly lengths: number[] = [0];
  readonly prepended: number[] = [0];
  readonly #setNumbers = new Map<string, number>();
  readonly #sets = new Map<number, { readonly text: string; references: number }>();
  /** Never reused: who remembers a set by its number cannot mistake it for another. */
  #nextSet = FIRST_SET;

  /** Distinct paths held. */
  get size(): number {
    return this.#index.size;
  }

  text(path: number): string {
    return this.#texts[path];
  }

  /** The VP's AS where the path itself gives no origin; undefined otherwise. */
  ownAsn(path: number): number | undefined {
    const at = this.#identities[path].indexOf('\n');
    return at === -1 ? undefined : Number(this.#identities[path].slice(at + 1));
  }

  /** `64500`, or `{64501,64502}`: an origin's or upstream's number as a label value. */
  asText(as: number): string {
    return as < FIRST_SET ? String(as) : (this.#sets.get(as)?.text ?? 'unknown');
  }

  /** The number of a known path whose canonical text these bytes are, or -1: then ask `intern`. Never a path without origin. */
  findBytes(bytes: Uint8Array, start: number, end: number, hash: number): number {
    return this.#index.findBytes(bytes, start, end, hash);
  }

  /**
   * The number of a path, added when new; undefined when the text is not a path. A new path has no reference yet: whoever
   * does not `retain` it must `discard` it.
   */
  intern(text: string, vpAsn: number): number | undefined {
    const path = parseAsPath(text);
    if (path === undefined) return undefined;
    const canonical = formatAsPath(path);
    const facts = pathFacts(path, vpAsn);
    const last = path.at(-1);
    const ownOrigin = last === undefined || (typeof last !== 'number' && last.kind !== 'set');
    const identity = ownOrigin ? `${canonical}\n${vpAsn}` : canonical;
    const known = this.#index.find(identity);
    if (known !== -1) return known;
    const number = this.#free.pop() ?? this.#texts.length;
    this.#identities[number] = identity;
    this.#texts[number] = canonical;
    this.#references[number] = 0;
    this.origins[number] = this.#asNumber(facts.origin);
    this.upstreams[number] = facts.upstream === undefined ? NO_UPSTREAM : this.#asNumber(facts.upstream);
    this.lengths[number] = facts.length;
    this.prepended[number] = facts.prepended ? 1 : 0;
    this.#index.set(identity, number);
    return number;
  }

  retain(path: number): void {
    this.#references[path]++;
  }

  release(path: number): void {
    if (--this.#references[path] === 0) this.#remove(path);
  }

  /** Forgets a path that `intern` gave and that no route has taken. */
  discard(path: number): void {
    if (this.#references[path] === 0 && this.#identities[path] !== '') this.#remove(path);
  }

  #remove(path: number): void {
    this.#index.delete(this.#identities[path]);
    // An empty identity marks a free number; a held path never has one, because an empty path carries its VP's AS.
    this.#identities[path] = '';
    this.#texts[path] = '';
    this.#dropSet(this.origins[path]);
    this.#dropSet(this.upstreams[path]);
    this.#free.push(path);
  }

  #asNumber(as: number | string): number {
    if (typeof as === 'number') return as;
    let number = this.#setNumbers.get(as);
    if (number === undefined) {
      number = this.#nextSet++;
      this.#setNumbers.set(as, number);
      this.#sets.set(number, { text: as, references: 0 });
    }
    const set = this.#sets.get(number);
    if (set !== undefined) set.references++;
    return number;
  }

  #dropSet(as: number): void {
    const set = as < FIRST_SET ? undefined : this.#sets.get(as);
    if (set === undefined || --set.references > 0) return;
    this.#sets.delete(as);
    this.#setNumbers.delete(set.text);
  }
}
