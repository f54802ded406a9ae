/** Every prefix that the simulator has met, by number; compared in canonical form, whatever the spelling. */
import { type Prefix, parsePrefix } from '../../../bgp/prefix.ts';

export class PrefixIndex {
  readonly all: Prefix[] = [];
  readonly #byText = new Map<string, number>();

  /** The number of a prefix; -1 when the text is not a prefix. Spellings are remembered as they come: a feed repeats them. */
  numberOf(text: string): number {
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    const prefix = parsePrefix(text);
    if (prefix === undefined) return -1;
    let number = this.#byText.get(prefix.text);
    if (number === undefined) {
      number = this.all.length;
      this.all.push(prefix);
      this.#byText.set(prefix.text, number);
    }
    if (text !== prefix.text) this.#byText.set(text, number);
    return number;
  }

  find(canonicalText: string): number | undefined {
    return this.#byText.get(canonicalText);
  }
}
