/** The API keys by their place in the configuration. A rotation replaces them while their sessions run. */

/** Told that the key at its place is another one from now on. */
export type KeyListener = () => void;

export class KeyRing {
  readonly #keys: string[];
  readonly #renew: () => readonly string[] | undefined;
  readonly #listeners: (readonly [place: number, listener: KeyListener])[] = [];

  /**
   * @param keys distinct. Secrets
   * @param renew reads the keys again from where they come from; undefined: they cannot be read now
   */
  constructor(keys: readonly string[], renew: () => readonly string[] | undefined = () => undefined) {
    this.#keys = [...keys];
    this.#renew = renew;
  }

  get size(): number {
    return this.#keys.length;
  }

  at(place: number): string {
    return this.#keys[place];
  }

  onReplaced(place: number, listener: KeyListener): void {
    this.#listeners.push([place, listener]);
  }

  /** Takes as many keys as there were. @returns the places whose key is another one now */
  replace(keys: readonly string[]): number[] {
    if (keys.length !== this.#keys.length) return [];
    const places = keys.flatMap((key, place) => (key === this.#keys[place] ? [] : [place]));
    for (const place of places) this.#keys[place] = keys[place];
    for (const [place, listener] of this.#listeners) if (places.includes(place)) listener();
    return places;
  }

  /** A service has refused the key of this place: perhaps it was rotated. @returns whether it is another one now */
  refused(place: number): boolean {
    const keys = this.#renew();
    return keys !== undefined && this.replace(keys).includes(place);
  }
}
