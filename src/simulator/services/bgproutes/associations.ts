/** The Live Manager's memory: which prefixes each API key asked for, and until when. */
import { MAX_LENGTH, maskWords, type Prefix, parsePrefix } from '../../../bgp/prefix.ts';
import type { PrefixIndex } from '../../internet/routes/prefix-index.ts';
import type { StreamMessage, WireTemplate } from './stream-message.ts';

const UNKNOWN = 0;
const YES = 1;
const NO = 2;

/** The prefixes of one key. Replaced as a whole; what is learned about messages is kept as long as the list stays. */
export class Association {
  readonly prefixes: readonly Prefix[];
  readonly #index: PrefixIndex;
  /** By family and length, the associated prefixes as text of their words. */
  readonly #byLength = new Map<string, Set<string>>();
  #matches = new Uint8Array(1024);
  /** What to send of messages that come again and again, by their number: null where nothing is. */
  readonly #recorded: (WireTemplate | null | undefined)[] = [];

  constructor(prefixes: readonly Prefix[], index: PrefixIndex) {
    this.prefixes = prefixes;
    this.#index = index;
    for (const { afi, length, words } of prefixes) {
      const id = `${afi} ${length}`;
      let set = this.#byLength.get(id);
      if (set === undefined) this.#byLength.set(id, (set = new Set()));
      set.add(words.join());
    }
  }

  /** Whether the prefix, by its number, is an associated one or a more-specific of one. */
  matches(prefix: number): boolean {
    if (prefix < 0) return false;
    if (prefix >= this.#matches.length) {
      const larger = new Uint8Array(2 ** Math.ceil(Math.log2(prefix + 1)));
      larger.set(this.#matches);
      this.#matches = larger;
    }
    if (this.#matches[prefix] === UNKNOWN) this.#matches[prefix] = this.#contains(this.#index.all[prefix]) ? YES : NO;
    return this.#matches[prefix] === YES;
  }

  /** The part of the message that this key gets; undefined when it gets none of it. */
  partOf(message: StreamMessage): WireTemplate | undefined {
    if (message.recordedAs === undefined) return message.part((prefix) => this.matches(prefix));
    let part = this.#recorded[message.recordedAs];
    if (part === undefined) {
      part = message.part((prefix) => this.matches(prefix)) ?? null;
      this.#recorded[message.recordedAs] = part;
    }
    return part ?? undefined;
  }

  #contains(inner: Prefix): boolean {
    for (let length = Math.min(inner.length, MAX_LENGTH[inner.afi]); length >= 0; length--) {
      const set = this.#byLength.get(`${inner.afi} ${length}`);
      if (set?.has(maskWords(inner.words, length).join()) === true) return true;
    }
    return false;
  }
}

export type AssociationResult =
  | { readonly ok: true; readonly association: Association }
  | { readonly ok: false; readonly status: number; readonly text: string };

export interface AssociationsOptions {
  readonly maxPrefixes: number;
  /** Inactivity after which the list of a key is cleared. */
  readonly ttlMs: number;
  readonly now: () => number;
}

export class Associations {
  readonly #options: AssociationsOptions;
  readonly #index: PrefixIndex;
  readonly #byKey = new Map<string, { association: Association; expiresAtMs: number }>();

  constructor(options: AssociationsOptions, index: PrefixIndex) {
    this.#options = options;
    this.#index = index;
  }

  /** Replaces the list of the key by a comma-separated one; an empty text clears it. Counts as activity of the key. */
  replace(key: string, text: string): AssociationResult {
    const prefixes = new Map<string, Prefix>();
    for (const part of text.split(',')) {
      const trimmed = part.trim();
      if (trimmed === '' && text.trim() === '') continue;
      const prefix = parsePrefix(trimmed);
      if (prefix === undefined || prefix.hadHostBits) {
        return { ok: false, status: 400, text: `Malformed prefix: ${JSON.stringify(trimmed.slice(0, 60))}` };
      }
      prefixes.set(prefix.text, prefix);
    }
    const { maxPrefixes, ttlMs } = this.#options;
    if (prefixes.size > maxPrefixes) {
      return {
        ok: false,
        status: 400,
        text: `An API key may be associated with up to ${maxPrefixes} prefixes, got ${prefixes.size}`,
      };
    }
    const expiresAtMs = this.#options.now() + ttlMs;
    const old = this.#byKey.get(key);
    const isSame =
      old !== undefined &&
      old.association.prefixes.length === prefixes.size &&
      old.association.prefixes.every((prefix) => prefixes.has(prefix.text));
    const association = isSame ? old.association : new Association([...prefixes.values()], this.#index);
    this.#byKey.set(key, { association, expiresAtMs });
    return { ok: true, association };
  }

  /** What the key is associated with now; undefined when that is nothing, or has expired. */
  of(key: string): Association | undefined {
    const entry = this.#byKey.get(key);
    if (entry === undefined) return undefined;
    if (this.#options.now() >= entry.expiresAtMs) {
      this.#byKey.delete(key);
      return undefined;
    }
    return entry.association.prefixes.length === 0 ? undefined : entry.association;
  }

  /** As if the key had been inactive for too long. */
  expire(key: string): void {
    this.#byKey.delete(key);
  }
}
