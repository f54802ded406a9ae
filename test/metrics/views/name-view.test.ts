import { expect, it } from 'vitest';
import { NameView } from '../../../src/metrics/views/name-view.ts';
import type { AsNames } from '../../../src/names/as-names.ts';
import { TextWriter } from '../../../src/outputs/text/prometheus.ts';
import { Fold, FoldCounts } from '../../../src/table/fold.ts';
import { RoutingTable } from '../../../src/table/routing-table.ts';
import { asNamesOf } from '../../support/as-names.ts';
import { readExposition, seriesOf } from '../../support/exposition.ts';
import { START_MS, watchedPrefix } from '../../support/table-world.ts';

const P = '198.51.100.0/24';
const Q = '203.0.113.0/24';
const FILE = '64500 OURS, NL\n64501 OTHERS, DE\n3333 RIPE-NCC-AS, NL\n1103 SURF "NET", NL\n';

function world() {
  const table = new RoutingTable();
  const watch = (...prefixes: string[]) =>
    table.watch(
      prefixes.map((prefix) => watchedPrefix(prefix, prefix === P ? { origins: [64500] } : {})),
      START_MS,
    );
  watch(P, Q);
  const fold = new Fold(table);
  const counts = new FoldCounts();
  let names: AsNames | undefined;
  const view = new NameView(table, () => names);
  const writer = new TextWriter('text');
  let timeUs = START_MS * 1_000;
  const say = (prefix: string, asPath: string | undefined) =>
    fold.apply(
      {
        vp: { protocol: 'bgp', asn: 64496, ip: '192.0.2.1' },
        timeUs: timeUs++,
        announced: asPath === undefined ? [] : [prefix],
        withdrawn: asPath === undefined ? [prefix] : [],
        ...(asPath !== undefined && { attributes: { asPath, communities: '', nextHop: '', originAttribute: '' } }),
      },
      0,
      counts,
      START_MS,
    );
  return {
    ...{ view, watch, say },
    give: (text: string) => {
      names = asNamesOf(Buffer.from(text));
    },
    shown: () =>
      [...seriesOf(readExposition(writer.render([view.collect()]), 'text')).keys()].map((key) =>
        key.replace(/^bgp_as_info\{|\}$/g, ''),
      ),
  };
}

const named = (as: number, name: string, country: string) =>
  `as="${as}",country="${country}",name=${JSON.stringify(name)}`;

it('configured origins are named at once, others while they are seen as origin or upstream', () => {
  const { give, say, shown } = world();
  give(FILE);
  expect(shown()).toEqual([named(64500, 'OURS', 'NL')]);
  say(Q, '3333 1103 64501');
  expect(shown().sort()).toEqual([
    named(1103, 'SURF "NET"', 'NL'),
    named(64500, 'OURS', 'NL'),
    named(64501, 'OTHERS', 'DE'),
  ]);
  // The origin of one prefix is the upstream of another: it stays until neither has it.
  say(P, '3333 64501 64500');
  say(Q, undefined);
  expect(shown().sort()).toEqual([named(64500, 'OURS', 'NL'), named(64501, 'OTHERS', 'DE')]);
  say(P, '3333 64777');
  expect(shown().sort()).toEqual([named(3333, 'RIPE-NCC-AS', 'NL'), named(64500, 'OURS', 'NL')]);
});

it('a prefix that is no longer monitored names nobody', () => {
  const { give, watch, say, shown } = world();
  give(FILE);
  say(Q, '3333 64501');
  expect(shown()).toHaveLength(3);
  watch(P);
  expect(shown()).toEqual([named(64500, 'OURS', 'NL')]);
});

it('a file that is read later, or again, names them', () => {
  const { give, shown } = world();
  expect(shown()).toEqual([]);
  give(FILE);
  expect(shown()).toEqual([named(64500, 'OURS', 'NL')]);
  give('64500 OURS-RENAMED, BE\n');
  expect(shown()).toEqual([named(64500, 'OURS-RENAMED', 'BE')]);
});
