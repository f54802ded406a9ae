/** Where the VPs are, as the lists of VPs of the histories tell: each distinct pair of country and project is a number. */
import { countryOf, type Region, regionOf } from '../../bgp/regions.ts';
import { type VantagePoint, vantagePointKey } from '../../bgp/vantage-point.ts';

/** Projects whose collectors hear VPs; `unknown` where no list tells. Closed list: it becomes a label. */
export const VP_SOURCES = ['bgproutes.io', 'ris', 'routeviews', 'unknown'] as const;
/** One of `VP_SOURCES`. */
export type VpSource = (typeof VP_SOURCES)[number];

export interface Place {
  /** ISO 3166-1 alpha-2, in capitals; empty when unknown. */
  readonly country: string;
  readonly region: Region;
  readonly source: VpSource;
}

/** What a list says of one VP. A text that is empty or absent is not told. */
export interface ListedPlace {
  readonly vp: VantagePoint;
  /** The country of its session's address. */
  readonly country?: string;
  /** The country of the organisation that runs it; used where the other one is not told. */
  readonly orgCountry?: string;
  readonly source?: string;
}

const NOWHERE: Place = { country: '', region: 'unknown', source: 'unknown' };

export class VpPlaces {
  /** Places by number; 0 is the place that no list tells. Countries and projects are closed lists, so there are about 1,000 at most. */
  readonly all: Place[] = [NOWHERE];
  readonly #numbers = new Map<string, number>([[' unknown', 0]]);
  /** The newest list of each source, by `vantagePointKey`. */
  #lists: (ReadonlyMap<string, number> | undefined)[] = [];

  /** Replaces what this source (by its place in the order of precedence) said before. */
  learn(teller: number, vps: Iterable<ListedPlace>): void {
    const list = new Map<string, number>();
    for (const { vp, country = '', orgCountry = '', source = '' } of vps) {
      const key = vantagePointKey(vp);
      const number = this.#numberOf(countryOf(country) || countryOf(orgCountry), sourceOf(source));
      // A VP may be listed by two collectors: the first that tells a country counts.
      const known = list.get(key);
      if (known === undefined || (this.all[known].country === '' && this.all[number].country !== ''))
        list.set(key, number);
    }
    this.#lists[teller] = list;
  }

  /**
   * Moves the lists when the sources get other places.
   * @param places the new place by the previous one; -1 where the list is to be forgotten
   */
  arrange(places: readonly number[]): void {
    const lists = this.#lists;
    this.#lists = [];
    for (const [from, place] of places.entries()) if (place !== -1) this.#lists[place] = lists[from];
  }

  /** The number of a VP's place. The first list that tells a country decides; if none does, the first list. */
  find(key: string): number {
    let found = 0;
    for (const list of this.#lists) {
      const number = list?.get(key);
      if (number === undefined) continue;
      if (this.all[number].country !== '') return number;
      if (found === 0) found = number;
    }
    return found;
  }

  #numberOf(country: string, source: VpSource): number {
    const key = `${country} ${source}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.all.length);
    return this.all.push({ country, region: regionOf(country), source }) - 1;
  }
}

function sourceOf(text: string): VpSource {
  const word = text.toLowerCase();
  return VP_SOURCES.find((source) => source === word) ?? 'unknown';
}
