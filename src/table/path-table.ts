/**
 * AS paths held now, each once: path text to a small integer, and per integer what the totals need. Paths are counted by
 * the routes that hold them and leave with the last one, so that years of route changes do not fill the memory.
 */
import { formatAsPath, parseAsPath, pathFacts, readPlainPath } from '../bgp/as-path.ts';
import { hashText, TextIndex, textOfWords, writeWords } from './text-index.ts';

/** `upstream` of a path that has none. */
export const NO_UPSTREAM = -1;
/** AS_SETs get numbers from here on, so that an origin or upstream is always one number: an ASN below, a set above. */
const FIRST_SET = 2 ** 32;
/**
 * Paths that nobody holds any more and that are kept all the same: most path changes go back to a path seen just before.
 * Twice as many as there are held ones, so that each route may have its second and third path, and at least these.
 */
const MIN_IDLE = 32_768;

/** What is noted of a path, in doubles side by side: an event needs all of it, of two paths. */
const FACTS = 4;
const REFERENCES = 0;
const ORIGIN = 1;
const UPSTREAM = 2;
/** Four times the length, plus the two flags. */
const SHAPE = 3;
/** The path waits in the ring of idle ones. */
const QUEUED = 1;
const PREPENDED = 2;

/** The paths by number, with their facts for the fold. Number 0 is never given out: it means no route. */
export class PathTable {
  /**
   * The only place where the texts are: canonical; where the origin is the VP's own AS, a line feed (in no path or decoded
   * text) and that AS follow.
   */
  readonly #index = new TextIndex();
  readonly #free: number[] = [];
  /** One above the highest number in use. */
  #end = 1;
  /** By path: FACTS numbers. */
  #facts = new Float64Array(FACTS * 1_024);
  /** By path: the hash of its text in the index. */
  #hashes = new Int32Array(1_024);
  /** A text as words, and the facts of a plain path, for the time of a call. */
  readonly #words = new Int32Array(1_024);
  readonly #plain = { origin: 0, upstream: 0, length: 0, prepended: false };
  /** Numbers that were idle once, oldest first, in a ring; each at most once. */
  #idle = new Uint32Array(MIN_IDLE);
  #idleStart = 0;
  #idleCount = 0;
  #held = 0;
  readonly #setNumbers = new Map<string, number>();
  readonly #sets = new Map<number, { readonly text: string; references: number }>();
  /** Never reused: who remembers a set by its number cannot mistake it for another. */
  #nextSet = FIRST_SET;

  /** Distinct paths held by at least one route. */
  get size(): number {
    return this.#held;
  }

  /** Canonical. */
  text(path: number): string {
    return this.#identity(path).split('\n', 1)[0];
  }

  origin(path: number): number {
    return this.#facts[path * FACTS + ORIGIN];
  }

  /** NO_UPSTREAM when there is none. */
  upstream(path: number): number {
    return this.#facts[path * FACTS + UPSTREAM];
  }

  length(path: number): number {
    return this.#facts[path * FACTS + SHAPE] >>> 2;
  }

  /** 1 when the origin is repeated, else 0. */
  prepended(path: number): number {
    return (this.#facts[path * FACTS + SHAPE] & PREPENDED) >>> 1;
  }

  /** The VP's AS where the path itself gives no origin; undefined otherwise. */
  ownAsn(path: number): number | undefined {
    const identity = this.#identity(path);
    const at = identity.indexOf('\n');
    return at === -1 ? undefined : Number(identity.slice(at + 1));
  }

  #identity(path: number): string {
    return this.#index.textOf(path, this.#hashes[path]) ?? '';
  }

  /** `64500`, or `{64501,64502}`: an origin's or upstream's number as a label value. */
  asText(as: number): string {
    return as < FIRST_SET ? String(as) : (this.#sets.get(as)?.text ?? 'unknown');
  }

  /** The number of a known path whose canonical text these bytes are, or -1: then ask `intern`. Never a path without origin. */
  findWords(words: Int32Array, at: number, length: number, hash: number): number {
    return this.#index.findWords(words, at, length, hash);
  }

  /**
   * The number of a path, added when new; undefined when the text is not a path. A new path has no reference yet: whoever
   * does not `retain` it must `discard` it.
   */
  intern(text: string, vpAsn: number): number | undefined {
    if (text.length > 4 * this.#words.length || !writeWords(text, this.#words)) return this.#internOther(text, vpAsn);
    const hash = hashText(text);
    const known = this.findWords(this.#words, 0, text.length, hash);
    return known === -1 ? this.internWords(this.#words, 0, text.length, hash, vpAsn) : known;
  }

  /** The same for a text as words that `findWords` does not find, with its hash. */
  internWords(words: Int32Array, at: number, length: number, hash: number, vpAsn: number): number | undefined {
    const plain = this.#plain;
    if (!readPlainPath(words, at, length, plain)) return this.#internOther(textOfWords(words, at, length), vpAsn);
    const number = this.#next();
    this.#index.insertWords(words, at, length, hash, number);
    this.#note(number, hash, plain.origin, plain.upstream, plain.length, plain.prepended);
    return number;
  }

  /** A path with sets or confederations, very long, or spelt in another way. */
  #internOther(text: string, vpAsn: number): number | undefined {
    const path = parseAsPath(text);
    if (path === undefined) return undefined;
    const canonical = formatAsPath(path);
    const last = path.at(-1);
    const ownOrigin = last === undefined || (typeof last !== 'number' && last.kind !== 'set');
    const identity = ownOrigin ? `${canonical}\n${vpAsn}` : canonical;
    const next = this.#next();
    const number = this.#index.add(identity, next);
    if (number !== next) return number;
    const { origin, upstream, length, prepended } = pathFacts(path, vpAsn);
    const upstreamNumber = upstream === undefined ? NO_UPSTREAM : this.#asNumber(upstream);
    this.#note(number, hashText(identity), this.#asNumber(origin), upstreamNumber, length, prepended);
    return number;
  }

  /** The number that a new path would get. */
  #next(): number {
    return this.#free.length > 0 ? this.#free[this.#free.length - 1] : this.#end;
  }

  #note(number: number, hash: number, origin: number, upstream: number, length: number, prepended: boolean): void {
    if (this.#free.length > 0) this.#free.pop();
    else this.#end++;
    if (number === this.#hashes.length) this.#grow();
    this.#hashes[number] = hash;
    const at = number * FACTS;
    this.#facts[at + REFERENCES] = 0;
    this.#facts[at + ORIGIN] = origin;
    this.#facts[at + UPSTREAM] = upstream;
    this.#facts[at + SHAPE] = length * 4 + (prepended ? PREPENDED : 0);
  }

  #grow(): void {
    const facts = new Float64Array(this.#facts.length * 2);
    facts.set(this.#facts);
    this.#facts = facts;
    const hashes = new Int32Array(this.#hashes.length * 2);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
  }

  retain(path: number): void {
    if (this.#facts[path * FACTS + REFERENCES]++ === 0) this.#held++;
  }

  release(path: number): void {
    if (--this.#facts[path * FACTS + REFERENCES] > 0) return;
    this.#held--;
    this.#rest(path);
  }

  /** Forgets, in time, a path that `intern` gave and that no route has taken. */
  discard(path: number): void {
    if (this.#facts[path * FACTS + REFERENCES] === 0) this.#rest(path);
  }

  /** Lets an idle path wait for its return; who has waited longest goes when too many do, unless it was taken again. */
  #rest(path: number): void {
    const at = path * FACTS + SHAPE;
    if ((this.#facts[at] & QUEUED) !== 0) return;
    const most = Math.max(MIN_IDLE, 2 * this.#held);
    // Two go for one that comes, so that the ring follows when fewer are held.
    for (let i = 0; i < 2 && this.#idleCount >= most; i++) this.#forgetOldest();
    if (this.#idleCount === this.#idle.length) this.#growIdle();
    this.#idle[(this.#idleStart + this.#idleCount++) % this.#idle.length] = path;
    this.#facts[at] += QUEUED;
  }

  #forgetOldest(): void {
    const oldest = this.#idle[this.#idleStart];
    this.#idleStart = (this.#idleStart + 1) % this.#idle.length;
    this.#idleCount--;
    this.#facts[oldest * FACTS + SHAPE] -= QUEUED;
    if (this.#facts[oldest * FACTS + REFERENCES] === 0) this.#remove(oldest);
  }

  #growIdle(): void {
    const idle = new Uint32Array(this.#idle.length * 2);
    idle.set(this.#idle.subarray(this.#idleStart));
    idle.set(this.#idle.subarray(0, this.#idleStart), this.#idle.length - this.#idleStart);
    this.#idle = idle;
    this.#idleStart = 0;
  }

  #remove(path: number): void {
    this.#index.deleteValue(path, this.#hashes[path]);
    this.#dropSet(this.origin(path));
    this.#dropSet(this.upstream(path));
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
