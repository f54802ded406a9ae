/** Who shows which prefix: members are looked at one after the other, so that what two show at the same time is certain. */
import { expect } from 'vitest';

export interface Watched {
  /** From the beginning until every prefix was shown, for the first time and for good, ms. */
  readonly hiddenMs: number;
  /** The most prefixes that nobody showed in one look at all members. */
  readonly mostHidden: number;
  /** The longest look at all members, ms. */
  readonly slowestRoundMs: number;
}

interface Look {
  readonly member: string;
  readonly shown: ReadonlySet<string>;
}

const SHOWN = /^bgp_prefix_visible_vps\{prefix="([^"]+)"\}/gm;

/** The prefixes of which an exporter has series; empty when it did not answer. */
export function shownIn(scrape = ''): Set<string> {
  return new Set([...scrape.matchAll(SHOWN)].map(([, prefix]) => prefix));
}

export class FleetWatch {
  readonly #members: readonly string[];
  readonly #scrape: (member: string) => Promise<string | undefined>;
  /** The newest look at each member, in the order in which they were taken. */
  #looks: Look[] = [];
  /** What each member said at the newest look. */
  readonly texts = new Map<string, string>();
  /** What two have shown at the same time. */
  readonly twice = new Set<string>();

  constructor(members: readonly string[], scrape: (member: string) => Promise<string | undefined>) {
    this.#members = members;
    this.#scrape = scrape;
  }

  /** Looks at each member once. @returns how many prefixes were shown */
  async round(): Promise<number> {
    const all = new Set<string>();
    for (const member of this.#members) {
      const text = (await this.#scrape(member)) ?? '';
      this.texts.set(member, text);
      const shown = shownIn(text);
      this.look(member, shown);
      for (const prefix of shown) all.add(prefix);
    }
    return all.size;
  }

  /**
   * Notes what a member showed after all looks before. What it showed at the look before this one too, it showed in between:
   * nobody else may have shown it then.
   */
  look(member: string, shown: ReadonlySet<string>): void {
    const since = this.#looks.findIndex((one) => one.member === member);
    if (since >= 0) {
      const [before] = this.#looks.splice(since, 1);
      for (const other of this.#looks.slice(since)) {
        for (const prefix of other.shown)
          if (shown.has(prefix) && before.shown.has(prefix))
            this.twice.add(`${prefix} by ${member} and ${other.member}`);
      }
    }
    this.#looks.push({ member, shown });
  }

  /**
   * Rounds until all of so many prefixes are shown and it is over, by what the members said in the newest round (texts of
   * `/metrics`). Rejects when two have shown one prefix.
   */
  async until(isOver: (texts: ReadonlyMap<string, string>) => boolean, prefixes: number, between: () => void) {
    const beganAtMs = performance.now();
    let shownAtMs: number | undefined;
    let [slowestRoundMs, mostHidden] = [0, 0];
    for (let isDone = false; !isDone || shownAtMs === undefined; ) {
      between();
      const roundAtMs = performance.now();
      const shown = await this.round();
      slowestRoundMs = Math.max(slowestRoundMs, performance.now() - roundAtMs);
      mostHidden = Math.max(mostHidden, prefixes - shown);
      if (shown < prefixes) shownAtMs = undefined;
      else shownAtMs ??= performance.now();
      isDone = isOver(this.texts);
    }
    expect([...this.twice]).toEqual([]);
    return { hiddenMs: shownAtMs - beganAtMs, mostHidden, slowestRoundMs } satisfies Watched;
  }
}
