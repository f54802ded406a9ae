/** `bgproutes-exporter vps`: the vantage points that the Data API lists. */

import type { Unreadable, VantagePointRecord, VantagePointsParams } from '../../bgproutes/data-api/types.ts';
import { DEFAULTS } from '../../defaults.ts';
import type { HistoryVp } from '../../stream/history.ts';
import { type Arguments, type Flag, formatFlags, parseArguments, UsageError } from '../arguments.ts';
import type { Command, CommandIo } from '../command.ts';
import { choiceOf, SERVICE_FLAGS, serviceOf } from '../service.ts';
import { type Column, columnLine, fitted, titlesOf, widthsOf } from '../terminal/columns.ts';
import { jsonLine, LineOutput } from '../terminal/line-output.ts';
import { note } from '../terminal/note.ts';
import { patiently, VP_LIST } from '../terminal/patience.ts';
import { noteUnknown, unreadableNote, VP_FLAGS, vpFilterOf } from './vp-filter.ts';

const FORMATS = ['table', 'json'] as const;

/** The value of --source that asks RIPEstat, and not the Data API. */
const RIS_LIVE = 'ris-live';

const FLAGS: readonly Flag[] = [
  ...VP_FLAGS.map((flag) =>
    flag.name === 'source'
      ? { ...flag, help: `${flag.help} ${RIS_LIVE}, alone and without a key: the peers that RIPEstat lists.` }
      : flag,
  ),
  { name: 'format', value: FORMATS.join('|'), help: 'For people, or one JSON array [table].' },
  ...SERVICE_FLAGS.map((flag) =>
    flag.name === 'config.file'
      ? { ...flag, help: "The exporter's configuration file, for its key and addresses." }
      : flag,
  ),
  { name: 'ris-live.ripestat-url', value: 'URL', help: `RIPEstat [${DEFAULTS.risLive.ripestatUrl}].` },
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
  summary: 'List the vantage points of bgproutes.io, or the peers of RIPE RIS',
  flags: FLAGS,
  help: `Usage: bgproutes-exporter vps [flags]

Prints the vantage points (VPs) that the Data API lists, and on standard error how many there are. It takes one request. A
running exporter with the same key loses only this part of the hourly quota.

With --source=ris-live it prints the peers of RIPE RIS, which RIS Live streams. The list comes from RIPEstat, without a key.
The other filters work too. The country is that of the collector; it is empty for collectors whose peers can be anywhere.

Flags:
${formatFlags(FLAGS)}
Examples:
  bgproutes-exporter vps --source=ris-live --asn=3333
  BGP_API_KEY=… bgproutes-exporter vps --source=ris --country=NL --status=up
`,

  async run(args, io) {
    const { flags } = parseArguments(args, FLAGS);
    const format = choiceOf(flags, 'format', FORMATS, 'table');
    const filter = vpFilterOf(flags);
    const ask = listOf(flags, filter, io);
    const output = new LineOutput(io);
    try {
      const { vantagePoints, unreadable } = await ask(output.signal);
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

interface List {
  readonly vantagePoints: readonly ListRow[];
  readonly unreadable: Partial<Unreadable>;
}

/** A VP of either service. */
type ListRow = HistoryVp & Partial<Pick<VantagePointRecord, 'orgName'>>;

/** Whom to ask for the list. Throws for wrong flags before anything is asked. */
function listOf(
  flags: Arguments['flags'],
  filter: VantagePointsParams,
  io: CommandIo,
): (signal: AbortSignal) => Promise<List> {
  const { sources = [] } = filter;
  if (sources.includes(RIS_LIVE)) {
    if (sources.some((source) => source !== RIS_LIVE))
      throw new UsageError(`--source=${RIS_LIVE} asks another service than the other values: expected it alone`);
    const url = flags['ris-live.ripestat-url'];
    return async (signal) => {
      const { risPeers } = await import('./ris-peers.ts');
      const ask = () => risPeers(url === undefined ? undefined : String(url), filter, io, signal);
      return { vantagePoints: await patiently(io, "RIPEstat's list of peers", ask), unreadable: {} };
    };
  }
  const service = serviceOf(flags, io.env, { isSession: false });
  noteUnknown(filter, io);
  return async (signal) => {
    const { dataApiOf } = await import('./data-api-access.ts');
    const api = dataApiOf(service, io);
    return patiently(io, VP_LIST, () => api.vantagePoints({ ...filter, signal }));
  };
}

function rowOf(record: ListRow): string[] {
  const { id, vp, status, source = '', ribSizeV4, ribSizeV6, country = '', orgName = '' } = record;
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
