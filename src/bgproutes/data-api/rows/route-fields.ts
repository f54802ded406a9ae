/** Single values of the rows of an answer of the Data API: what was asked for, in canonical spelling, and counts of the rest. */
import { parseAsPath } from '../../../bgp/as-path.ts';
import { containsPrefix, type Prefix, parsePrefix } from '../../../bgp/prefix.ts';
import type { Protocol } from '../../../bgp/vantage-point.ts';
import type { ListedVp } from '../../../stream/history.ts';
import { DAMAGE, type PrefixMatch, UNREADABLE_REASONS, type UnreadableReason } from '../types.ts';
import { type Counts, isObject, noneUnreadable } from './vantage-points.ts';

/** Texts of a kind that are remembered: more than an honest answer repeats. */
const MAX_REMEMBERED = 20_000;

/** What a request was about: rows of anything else are not taken. */
export interface Asked {
  readonly vps: readonly ListedVp[];
  readonly prefixes: readonly string[];
  readonly match: PrefixMatch;
  readonly communities: boolean;
}

/** Reads single values, counting what cannot be read. Texts repeat thousands of times in an answer: they are checked and kept once. */
export class RouteFields {
  readonly #asked: Asked;
  readonly #outer: readonly Prefix[];
  readonly #exact: ReadonlySet<string>;
  readonly #prefixes = new Map<string, string>();
  /** A text to the one copy of it that is kept; undefined: it is not a path. */
  readonly #paths = new Map<string, string | undefined>();
  readonly #communities = new Map<string, string>();
  #counts = noneUnreadable();
  /** Something was counted since the last `takeApart`; and something that could not be read, rather than was too much. */
  #hasCounts = false;
  #hasDamage = false;
  /** How much was looked at since the last batch. */
  work = 0;

  constructor(asked: Asked) {
    this.#asked = asked;
    this.#outer = asked.prefixes.flatMap((text) => parsePrefix(text) ?? []);
    this.#exact = new Set(this.#outer.map((prefix) => prefix.text));
  }

  count(reason: UnreadableReason): void {
    this.work++;
    this.#counts[reason]++;
    this.#hasCounts = true;
    if (DAMAGE.has(reason)) this.#hasDamage = true;
  }

  /** Counts what was counted apart. */
  add(counts: Readonly<Counts> | undefined): void {
    if (counts === undefined) return;
    for (const reason of UNREADABLE_REASONS) {
      this.#counts[reason] += counts[reason];
      this.work += counts[reason];
    }
  }

  /** What was counted since the last batch, for the next one. */
  takeCounts(): Counts {
    const counts = this.#counts;
    this.#counts = noneUnreadable();
    this.work = 0;
    return counts;
  }

  /** What was counted of one VP, which is not counted yet. */
  takeApart(): { readonly counts: Readonly<Counts> | undefined; readonly hasDamage: boolean } {
    const apart = { counts: this.#hasCounts ? this.takeCounts() : undefined, hasDamage: this.#hasDamage };
    this.#hasCounts = this.#hasDamage = false;
    return apart;
  }

  /** What an answer has under VPs that were not asked. */
  countStrangers(answer: unknown, protocol: Protocol, vps: readonly ListedVp[]): void {
    if (!isObject(answer)) return;
    const ids = new Set(vps.filter(({ vp }) => vp.protocol === protocol).map(({ id }) => id));
    for (const id of Object.keys(answer)) if (!ids.has(id)) this.count('unasked');
  }

  /** Canonical text of a prefix that was asked for. */
  prefix(value: unknown): string | undefined {
    if (typeof value !== 'string') {
      this.count('prefix');
      return undefined;
    }
    let known = this.#prefixes.get(value);
    if (known === undefined) {
      known = this.#judgePrefix(value);
      if (this.#prefixes.size < MAX_REMEMBERED) this.#prefixes.set(value, known);
    }
    if (known !== 'prefix' && known !== 'unasked') return known;
    this.count(known);
    return undefined;
  }

  /** Canonical text, which holds a slash, or the reason why not. */
  #judgePrefix(value: string): string {
    const prefix = parsePrefix(value);
    if (prefix === undefined) return 'prefix';
    const isAsked =
      this.#asked.match === 'exact'
        ? this.#exact.has(prefix.text)
        : this.#outer.some((outer) => prefix.length > outer.length && containsPrefix(outer, prefix));
    return isAsked ? prefix.text : 'unasked';
  }

  asPath(value: unknown): string | undefined {
    if (typeof value === 'string') {
      let path = this.#paths.get(value);
      if (path === undefined && !this.#paths.has(value)) {
        path = parseAsPath(value) === undefined ? undefined : value;
        if (this.#paths.size < MAX_REMEMBERED) this.#paths.set(value, path);
      }
      if (path !== undefined) return path;
    }
    this.count('as_path');
    return undefined;
  }

  /** Text, or a list of texts; a row is worth having without them. */
  communities(value: unknown): string {
    if (!this.#asked.communities || value === null || value === undefined) return '';
    if (typeof value === 'string') return this.#sameCommunities(value);
    if (Array.isArray(value) && value.every((part) => typeof part === 'string'))
      return this.#sameCommunities(value.join(' '));
    this.count('communities');
    return '';
  }
  /** The text that was kept where it came before. */
  #sameCommunities(text: string): string {
    const kept = this.#communities.get(text);
    if (kept === undefined && this.#communities.size < MAX_REMEMBERED) this.#communities.set(text, text);
    return kept ?? text;
  }
}
