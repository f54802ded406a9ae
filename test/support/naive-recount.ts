/**
 * Who sees what after a recording, counted from the file alone: split, overwrite, delete. Knows nothing of the program, and
 * of the stream only what a recording uses: exact prefixes, and withdrawals under the keys that are given.
 */

export interface NaiveRoute {
  readonly path: string;
  readonly origin: string;
  readonly length: number;
  readonly timeUs: number;
}

/** By prefix, then by VP. */
export type NaiveTable = Map<string, Map<string, NaiveRoute>>;

export interface NaiveOptions {
  readonly withdrawnKeys?: readonly string[];
  /** Called after each line that was a message. */
  readonly afterLine?: (table: NaiveTable, sec: number) => void;
}

/** @param prefixes those to keep, in the spelling of the file */
export function naiveRecount(
  lines: Iterable<string>,
  prefixes: Iterable<string>,
  options: NaiveOptions = {},
): NaiveTable {
  const { withdrawnKeys = ['withdraws'], afterLine } = options;
  const table: NaiveTable = new Map([...prefixes].map((prefix) => [prefix, new Map()]));
  const newest = new Map<string, number>();
  for (const line of lines) {
    const message = JSON.parse(line) as Record<string, string | number | undefined>;
    const vp = `${message.vp} ${message.bmp_peer ?? ''}`;
    const timeUs = Number(message.sec) * 1_000_000 + Number(message.Usec ?? 0);
    const each = (list: unknown, act: (routes: Map<string, NaiveRoute>) => void) => {
      for (const prefix of String(list ?? '').split(',')) {
        const routes = table.get(prefix);
        if (routes === undefined || timeUs < (newest.get(`${prefix} ${vp}`) ?? 0)) continue;
        newest.set(`${prefix} ${vp}`, timeUs);
        act(routes);
      }
    };
    for (const key of withdrawnKeys) each(message[key], (routes) => routes.delete(vp));
    const path = String(message['as-path'] ?? '');
    const visible = path
      .replace(/\(.*?\)|\[.*?\]/g, ' ')
      .replace(/\{/g, ' {')
      .replace(/\}/g, '} ');
    const hops = visible.split(' ').filter((hop) => hop !== '');
    const own = String(message.bmp_peer ?? message.vp).split('_')[0];
    const route = { path, origin: originOf(hops.at(-1) ?? own), length: hops.length, timeUs };
    each(message.prefixes, (routes) => routes.set(vp, route));
    afterLine?.(table, Number(message.sec));
  }
  return table;
}

function originOf(hop: string): string {
  const members = hop.match(/\d+/g) ?? [];
  const distinct = [...new Set(members)].sort((a, b) => Number(a) - Number(b));
  return distinct.length > 1 ? `{${distinct.join(',')}}` : distinct[0];
}

/** Counts of one prefix: how many VPs, by origin, by path length. */
export function naiveCounts(routes: ReadonlyMap<string, NaiveRoute> | undefined) {
  const origins: Record<string, number> = {};
  const lengths: Record<string, number> = {};
  for (const { origin, length } of routes?.values() ?? []) {
    origins[origin] = (origins[origin] ?? 0) + 1;
    lengths[length] = (lengths[length] ?? 0) + 1;
  }
  return { visible: routes?.size ?? 0, origins, lengths };
}
