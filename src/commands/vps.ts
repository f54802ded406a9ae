/** `bgproutes-exporter vps`: the vantage points that the Data API lists. */
import type { VantagePointRecord } from '../bgproutes/data-api/types.ts';
import { type Flag, formatFlags, parseArguments } from './arguments.ts';
import type { Command } from './command.ts';
import { choiceOf, SERVICE_FLAGS, serviceOf } from './service.ts';
import { type Column, columnLine, fitted, titlesOf, widthsOf } from './terminal/columns.ts';
import { jsonLine, LineOutput } from './terminal/line-output.ts';
import { note } from './terminal/note.ts';
import { patiently, VP_LIST } from './terminal/patience.ts';
import { noteUnknownSources, unreadableNote, VP_FLAGS, vpFilterOf } from './vp-filter.ts';

const FORMATS = ['table', 'json'] as const;

const FLAGS: readonly Flag[] = [
  ...VP_FLAGS,
  { name: 'format', value: FORMATS.join('|'), help: 'For people, or one JSON array [table].' },
  ...SERVICE_FLAGS,
];

const COLUMNS: readonly Column[] = [
  { title: 'ID', right: true, goes: 7 },
  { title: 'PROTOCOL', goes: 6 },
  { title: 'ASN', right: true },
  { title: 'IP' },
  { title: 'STATUS' },
  { title: 'SOURCE' },
  { title: 'IPV4 ROUTES', right: true, goes: 3 },
  { title: 'IPV6 ROUTES', right: true, goes: 2 },
  { title: 'COUNTRY', goes: 5 },
  // The router that a VP of a BMP feed is a peer of.
  { title: 'ROUTER', goes: 1 },
  { title: 'ORGANISATION', goes: 4 },
];

export const vpsCommand: Command = {
  name: 'vps',
  summary: 'List the vantage points of bgproutes.io',
  flags: FLAGS,
  help: `Usage: bgproutes-exporter vps [flags]

Prints the vantage points (VPs) that the Data API lists, and how many they are (on standard error). One request. It takes
nothing from a running exporter but a part of the key's hourly quota.

Flags:
${formatFlags(FLAGS)}
Example:
  BGP_API_KEY=… bgproutes-exporter vps --source=ris --country=NL --status=up
`,

  async run(args, io) {
    const { flags } = parseArguments(args, FLAGS);
    const format = choiceOf(flags, 'format', FORMATS, 'table');
    const filter = vpFilterOf(flags);
    const service = serviceOf(flags, io.env, false);
    noteUnknownSources(filter, io);
    const { dataApiOf } = await import('./data-api-access.ts');
    const output = new LineOutput(io);
    try {
      const api = dataApiOf(service, io);
      const { signal } = output;
      const { vantagePoints, unreadable } = await patiently(io, VP_LIST, () =>
        api.vantagePoints({ ...filter, signal }),
      );
      if (format === 'json') {
        await output.line(`[${vantagePoints.map((vp) => `\n  ${jsonLine(vp)}`).join(',')}\n]`);
      } else {
        const { columns, rows } = fitted(COLUMNS, vantagePoints.map(rowOf), io.stdout.columns);
        const widths = widthsOf(columns, rows);
        await output.line(output.paint('grey', columnLine(columns, widths, titlesOf(columns))));
        for (const row of rows) await output.line(columnLine(columns, widths, row));
      }
      const unread = unreadableNote(unreadable);
      const count = `${vantagePoints.length} vantage point${vantagePoints.length === 1 ? '' : 's'}`;
      note(io, unread === undefined ? count : `${count}; ${unread}`);
    } catch (error) {
      if (!output.signal.aborted) throw error;
    } finally {
      output.end();
    }
    return 0;
  },
};

function rowOf(record: VantagePointRecord): string[] {
  const { id, vp, status, source, ribSizeV4, ribSizeV6, country, orgName } = record;
  const count = (routes: number | undefined) => (routes === undefined ? '' : String(routes));
  const router = vp.parent === undefined ? '' : `AS${vp.parent.asn} ${vp.parent.ip}`;
  return [
    id,
    vp.protocol,
    String(vp.asn),
    vp.ip,
    status,
    source,
    count(ribSizeV4),
    count(ribSizeV6),
    country,
    router,
    orgName,
  ];
}
