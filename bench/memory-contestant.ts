/** A process that fills one table when asked and tells what it takes: ours, or a Map of Maps of objects. */
import { FILLED_AT_MS, FilledTable, type TableShape } from './filled-table.ts';
import { originOf, pathText, prefixTexts } from './messages.ts';

export interface Memory {
  readonly routes: number;
  /** Of V8's heap and of buffers outside of it. */
  readonly bytes: number;
  /** By prefix: routes by origin, to be compared. */
  readonly origins: readonly (readonly [string, readonly [number, number][]])[];
}

/** What a program would keep of a message: its parsed fields. */
interface Route {
  readonly asPath: readonly number[];
  readonly origin: number;
  readonly communities: string;
  readonly nextHop: string;
  readonly timestamp: number;
}

type PlainTable = Map<string, Map<string, Route>>;

/** Each message of the stream is a text of its own, so are the parts of it that a program keeps. */
function plainTable({ vps, prefixes, origins }: TableShape): PlainTable {
  const texts = prefixTexts(prefixes);
  const table: PlainTable = new Map(texts.map((text) => [text, new Map()]));
  for (let vp = 0; vp < vps; vp++) {
    const asn = 1_000 + ((vp * 7_919) % 400_000);
    const ip = `10.${vp >> 16}.${(vp >> 8) & 255}.${vp & 255}`;
    for (const [prefix, text] of texts.entries()) {
      const variant = Math.floor(prefix / origins) % 2;
      const message = JSON.parse(
        JSON.stringify({
          vp: `${asn}_${ip}`,
          'as-path': pathText(asn, originOf(prefix, origins), variant),
          communities: `${asn % 65_536}:1000 ${asn % 65_536}:1137`,
          nexthop: ip,
          sec: FILLED_AT_MS / 1_000,
          Usec: 100_000,
        }),
      ) as Record<string, string> & { sec: number; Usec: number };
      const asPath = message['as-path'].split(' ').map(Number);
      table.get(text)?.set(message.vp, {
        asPath,
        origin: asPath[asPath.length - 1],
        communities: message.communities,
        nextHop: message.nexthop,
        timestamp: message.sec + message.Usec / 1e6,
      });
    }
  }
  return table;
}

function originsOf(table: PlainTable): Memory['origins'] {
  return [...table].map(([prefix, routes]) => {
    const counts = new Map<number, number>();
    for (const { origin } of routes.values()) counts.set(origin, (counts.get(origin) ?? 0) + 1);
    return [prefix, [...counts]];
  });
}

function inUse(): number {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

process.once('message', (shape: TableShape) => {
  const before = inUse();
  if (process.argv[2] === 'ours') {
    const { table } = new FilledTable(shape);
    const bytes = inUse() - before;
    const origins = [...table.prefixes.monitored()].map(
      (one) => [one.state.prefix.text, [...one.origins.entries()]] as const,
    );
    process.send?.({ routes: table.routes, bytes, origins } satisfies Memory);
  } else {
    const table = plainTable(shape);
    const bytes = inUse() - before;
    let routes = 0;
    for (const one of table.values()) routes += one.size;
    process.send?.({ routes, bytes, origins: originsOf(table) } satisfies Memory);
  }
});
process.once('disconnect', () => process.exit(0));
