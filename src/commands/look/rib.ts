/** `bgproutes-exporter rib`: what vantage points held at a time, by the Data API. */
import { parseAsPath, pathFacts } from '../../bgp/as-path.ts';
import { parseTimestampUs } from '../../bgproutes/data-api/time.ts';
import {
  LIVE_SOURCES,
  type PrefixMatch,
  type Unreadable,
  type UnreadableReason,
} from '../../bgproutes/data-api/types.ts';
import type { RibRow } from '../../stream/history.ts';
import { type Arguments, type Flag, formatFlags, parseArguments, UsageError } from '../arguments.ts';
import type { Command, CommandIo } from '../command.ts';
import { choiceOf, PREFIX_FLAG, SERVICE_FLAGS, type Service, serviceOf } from '../service.ts';
import { type Column, columnLine, columnsThatFit, titlesOf, widthsOf } from '../terminal/columns.ts';
import { foldWords } from '../terminal/folding.ts';
import { jsonLine, LineOutput } from '../terminal/line-output.ts';
import { note } from '../terminal/note.ts';
import { patiently, VP_LIST } from '../terminal/patience.ts';
import { noteUnknown, unreadableNote, VP_FLAGS, vpFilterOf } from './vp-filter.ts';

const FORMATS = ['table', 'json'] as const;

/** The Data API lags behind by 1 to 2 minutes. */
const DEFAULT_AGE_MS = 5 * 60_000;

/** By how much clocks may differ, ms. */
const CLOCK_TOLERANCE_MS = 60_000;

/** A path that has less room than this beside the other columns is hard to read, characters. */
const MIN_PATH = 24;

/** Origins named in the summary. */
const MAX_ORIGINS = 5;

const FLAGS: readonly Flag[] = [
  { ...PREFIX_FLAG, help: 'Prefix to look up, such as 192.0.2.0/24. Repeatable.' },
  {
    name: 'more-specifics',
    help: 'Also print longer prefixes inside these. This takes one more request for each prefix.',
  },
  { name: 'date', value: 'TIME', help: 'Time in UTC, such as 2026-11-23T18:00:00 [five minutes ago].' },
  ...VP_FLAGS,
  { name: 'format', value: FORMATS.join('|'), help: 'For people, or one JSON array [table].' },
  ...SERVICE_FLAGS,
];

const COLUMNS: readonly Column[] = [
  { title: 'PREFIX' },
  // Most paths begin with the VP's AS.
  { title: 'ASN', right: true, goes: 2 },
  { title: 'IP', goes: 1 },
  { title: 'ORIGIN', right: true },
  { title: 'AS PATH' },
];

export const ribCommand: Command = {
  name: 'rib',
  summary: 'Print the routes that vantage points hold for prefixes, now or at a time',
  flags: FLAGS,
  help: `Usage: bgproutes-exporter rib --prefix=PREFIX… [flags]

Prints the route of each vantage point (VP) for these prefixes, and on standard error how many VPs see which origin. Without
a filter it asks for all VPs that stream live. It takes two requests, or more for more than 10 prefixes or 2,000 VPs. A
running exporter with the same key loses only this part of the hourly quota.

Flags:
${formatFlags(FLAGS)}
Example:
  BGP_API_KEY=… bgproutes-exporter rib --prefix=192.23.62.0/24 --source=ris --date=2026-11-23T18:00:00
`,

  async run(args, io) {
    const { flags } = parseArguments(args, FLAGS);
    const format = choiceOf(flags, 'format', FORMATS, 'table');
    const filter = vpFilterOf(flags);
    const dateMs = dateOf(flags, Date.now());
    if (filter.sources?.includes('ris-live'))
      throw new UsageError(
        '--source: ris-live tells changes only; of the peers of RIPE RIS the Data API knows: --source=ris',
      );
    const service = serviceOf(flags, io.env, { isSession: false, hasRisLive: false });
    noteUnknown(filter, io);
    if (service.prefixes.length === 0) throw new UsageError('no prefix: --prefix=192.0.2.0/24, or --config.file=FILE');
    const output = new LineOutput(io);
    try {
      const sources = filter.sources?.length === 0 ? LIVE_SOURCES : filter.sources;
      const matches: readonly PrefixMatch[] = flags['more-specifics'] === true ? ['exact', 'more_specific'] : ['exact'];
      await printRoutes({ service, io, output, format, matches, dateMs, filter: { ...filter, sources } });
    } catch (error) {
      if (!output.signal.aborted) throw error;
    } finally {
      output.end();
    }
    return 0;
  },
};

interface Question {
  readonly service: Service;
  readonly io: CommandIo;
  readonly output: LineOutput;
  readonly format: (typeof FORMATS)[number];
  readonly matches: readonly PrefixMatch[];
  readonly dateMs: number;
  readonly filter: ReturnType<typeof vpFilterOf>;
}

async function printRoutes({ service, io, output, format, matches, dateMs, filter }: Question): Promise<void> {
  const { dataApiOf } = await import('./data-api-access.ts');
  const api = dataApiOf(service, io);
  const { signal } = output;
  const listed = await patiently(io, VP_LIST, () => api.vantagePoints({ ...filter, signal }));
  const summary = new Summary();
  summary.add(listed.unreadable);
  const print = format === 'json' ? new JsonPrinter(output) : new TablePrinter(output, io.stdout.columns);
  const ask = async (match: PrefixMatch): Promise<void> => {
    const question = { vps: listed.vantagePoints, prefixes: service.prefixes, dateMs, match, signal };
    for await (const { rows, unreadable, unavailable } of api.rib(question)) {
      summary.add(unreadable);
      summary.unavailable += unavailable.length;
      for (const row of rows) summary.count(row);
      await print.rows(rows);
    }
  };
  const soFar = (): string => `the Data API's routes, ${summary.routes} so far`;
  for (const match of matches) await patiently(io, soFar, () => ask(match));
  await print.end();
  const when = new Date(dateMs).toISOString().slice(0, 19);
  note(io, `at ${when} UTC, asked of ${listed.vantagePoints.length} vantage points: ${summary.text()}`);
}

/** What the table has room for. */
interface Layout {
  /** Places of the columns that are shown, the path last. */
  readonly kept: readonly number[];
  /** Of the columns that are shown. */
  readonly widths: readonly number[];
  /** Characters of a line that the path may take; undefined: any number. */
  readonly left: number | undefined;
}

/**
 * A line a route. On a terminal no line is wider than it: columns go, and a path goes on below itself. Without one (a pipe) a
 * route is always one whole line.
 */
class TablePrinter {
  readonly #output: LineOutput;
  readonly #width: number | undefined;
  #layout: Layout | undefined;

  constructor(output: LineOutput, width: number | undefined) {
    this.#output = output;
    this.#width = width;
  }

  /**
   * Widths are those of the first part of the answer: it is not kept to wait for the last one. A part that does not fit a
   * terminal then has widths, and a title, of its own.
   */
  async rows(rows: readonly RibRow[]): Promise<void> {
    const texts = rows.map(textsOf);
    if (this.#layout === undefined || this.#isTooWide(texts, this.#layout)) await this.#title(texts);
    for (const row of texts) for (const line of this.#linesOf(row)) await this.#output.line(line);
  }

  async end(): Promise<void> {
    if (this.#layout === undefined) await this.#title([]);
  }

  #isTooWide(rows: readonly (readonly string[])[], { kept, widths, left }: Layout): boolean {
    return (
      left !== undefined && rows.some((row) => kept.slice(0, -1).some((i, place) => row[i].length > widths[place]))
    );
  }

  #title(rows: readonly (readonly string[])[]): Promise<void> {
    const all = { kept: COLUMNS.map((_, i) => i), left: undefined };
    const { kept, left } = this.#width === undefined ? all : columnsThatFit(COLUMNS, rows, this.#width, MIN_PATH);
    const columns = kept.map((i) => COLUMNS[i]);
    const widths = widthsOf(
      columns,
      rows.map((row) => kept.map((i) => row[i])),
    );
    this.#layout = { kept, widths, left };
    return this.#output.line(this.#output.paint('grey', columnLine(columns, widths, titlesOf(columns))));
  }

  #linesOf(row: readonly string[]): string[] {
    const { kept, widths, left } = this.#layout ?? { kept: [], widths: [], left: undefined };
    const columns = kept.map((i) => COLUMNS[i]);
    const cells = kept.slice(0, -1).map((i) => row[i]);
    const path = row[row.length - 1];
    const parts = left === undefined ? [path] : foldWords(path, left).flatMap((part) => broken(part, left));
    return parts.map((part, i) => columnLine(columns, widths, [...(i === 0 ? cells : cells.map(() => '')), part]));
  }
}

/** An AS_SET is one word, however many ASes it has. */
function broken(word: string, length: number): string[] {
  const pieces = Math.max(1, Math.ceil(word.length / length));
  return Array.from({ length: pieces }, (_, i) => word.slice(i * length, (i + 1) * length));
}

class JsonPrinter {
  readonly #output: LineOutput;
  #isFirst = true;

  constructor(output: LineOutput) {
    this.#output = output;
  }

  async rows(rows: readonly RibRow[]): Promise<void> {
    for (const row of rows) {
      await this.#output.write(`${this.#isFirst ? '[' : ','}\n  ${jsonLine({ ...row, origin: originOf(row) })}`);
      this.#isFirst = false;
    }
  }

  end(): Promise<void> {
    return this.#output.write(this.#isFirst ? '[\n]\n' : '\n]\n');
  }
}

class Summary {
  unavailable = 0;
  routes = 0;
  readonly #origins = new Map<string, number>();
  readonly #unreadable: Partial<Record<UnreadableReason, number>> = {};

  add(unreadable: Unreadable): void {
    for (const [reason, count] of Object.entries(unreadable) as [UnreadableReason, number][]) {
      this.#unreadable[reason] = (this.#unreadable[reason] ?? 0) + count;
    }
  }

  count(row: RibRow): void {
    this.routes++;
    const origin = String(originOf(row));
    this.#origins.set(origin, (this.#origins.get(origin) ?? 0) + 1);
  }

  text(): string {
    const parts = [`${this.routes} routes`];
    const byCount = [...this.#origins].sort(([, a], [, b]) => b - a);
    if (byCount.length > 0) {
      const named = byCount.slice(0, MAX_ORIGINS).map(([origin, routes]) => `${routes} from ${origin}`);
      if (byCount.length > MAX_ORIGINS) named.push(`${byCount.length - MAX_ORIGINS} more origins`);
      parts[0] += ` (${named.join(', ')})`;
    }
    if (this.unavailable > 0) parts.push(`${this.unavailable} vantage points without data for that time`);
    const note = unreadableNote(this.#unreadable as Unreadable);
    if (note !== undefined) parts.push(note);
    return parts.join('; ');
  }
}

function textsOf(row: RibRow): string[] {
  const { prefix, vp, asPath } = row;
  return [prefix, String(vp.asn), vp.ip, String(originOf(row)), asPath];
}

function originOf({ vp, asPath }: RibRow): number | string {
  return pathFacts(parseAsPath(asPath) ?? [], vp.asn).origin;
}

/** Unix ms. */
function dateOf({ date }: Arguments['flags'], nowMs: number): number {
  if (date === undefined) return nowMs - DEFAULT_AGE_MS;
  const text = String(date);
  const us = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z?$/.test(text) ? parseTimestampUs(text) : undefined;
  if (us === undefined) {
    throw new UsageError(`--date: expected a time such as 2026-11-23T18:00:00 (UTC), got ${JSON.stringify(text)}`);
  }
  const ms = us / 1000;
  // Otherwise the newest routes would be printed as if they were of a future time.
  if (ms > nowMs + CLOCK_TOLERANCE_MS)
    throw new UsageError(`--date: expected a time that has passed (UTC), got ${JSON.stringify(text)}`);
  return ms;
}
