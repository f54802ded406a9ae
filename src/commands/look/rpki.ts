/** `bgproutes-exporter rpki PREFIX [AS]`: what validated RPKI data says of a route, and which VRPs say so. */
import { MAX_ASN, parseAsn } from '../../bgp/as-path.ts';
import { type Prefix, parsePrefix } from '../../bgp/prefix.ts';
import { loadConfig } from '../../config/config.ts';
import type { RpkiConfig } from '../../config/rpki/rpki-config.ts';
import { rtrAddress } from '../../config/rpki/rpki-source.ts';
import { type Validity, validate } from '../../rpki/origin-validation.ts';
import { readOnce } from '../../rpki/read-once.ts';
import type { UsableData } from '../../rpki/validated-data.ts';
import type { Vrp } from '../../rpki/vrp-set.ts';
import { systemTimers } from '../../stream/timers.ts';
import { buildInfo } from '../../version.ts';
import { type Arguments, type Flag, formatFlags, parseArguments, UsageError } from '../arguments.ts';
import type { Command, CommandIo } from '../command.ts';
import { choiceOf } from '../service.ts';
import { type Column, columnLine, titlesOf, widthsOf } from '../terminal/columns.ts';
import { jsonLine, LineOutput } from '../terminal/line-output.ts';
import { note } from '../terminal/note.ts';
import { noteLogger } from '../terminal/note-logger.ts';

const FORMATS = ['table', 'json'] as const;

/** A set of 100 MB over a slow line takes a while, ms. */
const LIMIT_MS = 5 * 60_000;
const MAX_AGE_MS = 6 * 3_600_000;
const INTERVAL_MS = 10 * 60_000;

const FLAGS: readonly Flag[] = [
  { name: 'config.file', value: 'FILE', help: "The exporter's configuration file, for its rpki.sources and max_age." },
  {
    name: 'rpki.source',
    value: 'URL|FILE',
    repeatable: true,
    help: 'Where validated data is, instead of rpki.sources of the file: http://validator:8323/json, rtr://validator:8282 or vrps.json. Repeatable; the first that has fresh data is used.',
  },
  { name: 'format', value: FORMATS.join('|'), help: 'For people, or one JSON object [table].' },
];

const COLUMNS: readonly Column[] = [
  { title: 'PREFIX' },
  { title: 'LONGEST', right: true },
  { title: 'AS' },
  { title: 'SAYS' },
];

export const rpkiCommand: Command = {
  name: 'rpki',
  summary: 'Print whether a route is RPKI valid, and which VRPs decide it',
  flags: FLAGS,
  help: `Usage: bgproutes-exporter rpki PREFIX [AS] [flags]

Reads the same validated data as the exporter, and prints the validity (RFC 6811) of PREFIX with AS as its origin: valid,
invalid_as, invalid_length (the AS has a VRP, but only for shorter prefixes) or not_found. Without AS it prints which ASes may
originate the prefix. Then it prints the VRPs that cover the prefix, and on standard error how old the data is.
Exit code 0: there is an answer, whatever it is. 1: no source has data that is fresh enough.

Flags:
${formatFlags(FLAGS)}
Example:
  bgproutes-exporter rpki 192.23.62.0/24 AS64500 --rpki.source=http://validator:8323/json
`,

  async run(args, io) {
    const { flags, positionals } = parseArguments(args, FLAGS, ['PREFIX', '[AS]']);
    const format = choiceOf(flags, 'format', FORMATS, 'table');
    const prefix = prefixOf(positionals[0]);
    const asn = positionals[1] === undefined ? undefined : asnOf(positionals[1]);
    const { sources: places, maxAgeMs } = rpkiOf(flags, io);
    const output = new LineOutput(io);
    try {
      const read = await readOnce({
        ...{ places, maxAgeMs, prefixes: [prefix], limitMs: LIMIT_MS, timers: systemTimers, unixMs: Date.now },
        userAgent: `bgproutes-exporter/${buildInfo(io.env).version}`,
        // A URL may hold what nobody else should read.
        log: noteLogger(
          io.stderr,
          places.flatMap((place) => (place.kind === 'url' ? [place.url] : [])),
        ),
        signal: output.signal,
      });
      if (output.signal.aborted) return 0;
      if (read === undefined) {
        note(io, 'no source has validated data that is fresh enough');
        return 1;
      }
      await print(read, prefix, asn, format, output);
      note(io, ageText(read, Date.now()));
      return 0;
    } finally {
      output.end();
    }
  },
};

function prefixOf(text: string): Prefix {
  const prefix = parsePrefix(text);
  const shown = JSON.stringify(text.slice(0, 60));
  if (prefix === undefined) throw new UsageError(`expected a prefix such as 192.0.2.0/24, got ${shown}`);
  if (prefix.hadHostBits) throw new UsageError(`${shown} has bits set beyond its length, did you mean ${prefix.text}?`);
  return prefix;
}

function asnOf(text: string): number {
  const asn = parseAsn(text.replace(/^AS/i, ''));
  if (asn === undefined)
    throw new UsageError(`expected an AS number from 0 to ${MAX_ASN}, got ${JSON.stringify(text.slice(0, 60))}`);
  return asn;
}

function rpkiOf(flags: Arguments['flags'], io: CommandIo): RpkiConfig {
  const { 'config.file': file, 'rpki.source': given } = flags;
  const sources = (Array.isArray(given) ? (given as readonly string[]) : []).map((text) =>
    /^https?:\/\//i.test(text)
      ? ({ kind: 'url', url: text, intervalMs: INTERVAL_MS } as const)
      : (rtrAddress(text) ?? ({ kind: 'file', path: text, intervalMs: INTERVAL_MS } as const)),
  );
  // Of a source that needs no key: whoever asks need not be allowed to read those of the exporter.
  const ofFile =
    typeof file === 'string'
      ? loadConfig({ flags: { 'config.file': file, source: ['ris-live'] }, env: io.env }).rpki
      : undefined;
  if (sources.length > 0) return { sources, maxAgeMs: ofFile?.maxAgeMs ?? MAX_AGE_MS };
  if (ofFile !== undefined) return ofFile;
  throw new UsageError(
    file === undefined
      ? 'no source of validated data: --rpki.source=http://validator:8323/json, or --config.file=FILE'
      : 'the configuration file has no rpki.sources: name one with --rpki.source',
  );
}

async function print(
  { data, dataAtMs }: UsableData,
  prefix: Prefix,
  asn: number | undefined,
  format: (typeof FORMATS)[number],
  output: LineOutput,
): Promise<void> {
  const covering = data.vrps.covering(prefix, Date.now() / 1_000);
  const validity = asn === undefined ? undefined : validate(covering, prefix.length, asn);
  if (format === 'json') {
    const vrps = covering.map((vrp) => ({ prefix: vrp.prefix, max_length: vrp.maxLength, as: vrp.asn }));
    const made = dataAtMs === undefined ? undefined : new Date(dataAtMs).toISOString();
    await output.line(jsonLine({ prefix: prefix.text, as: asn, validity, covering_vrps: vrps, data_made: made }));
    return;
  }
  await output.line(asn === undefined ? mayOriginate(prefix, covering) : `${prefix.text} from AS${asn}: ${validity}`);
  if (covering.length === 0) return;
  const rows = covering.map((vrp) => [vrp.prefix, String(vrp.maxLength), `AS${vrp.asn}`, saysOf(vrp, prefix, asn)]);
  const widths = widthsOf(COLUMNS, rows);
  await output.line(output.paint('grey', columnLine(COLUMNS, widths, titlesOf(COLUMNS))));
  for (const row of rows) await output.line(columnLine(COLUMNS, widths, row));
}

function mayOriginate(prefix: Prefix, covering: readonly Vrp[]): string {
  if (covering.length === 0) return `${prefix.text}: not_found, whoever originates it: no VRP covers it`;
  const valid = [...new Set(covering.map(({ asn }) => asn))].filter(
    (asn) => validate(covering, prefix.length, asn) === ('valid' satisfies Validity),
  );
  if (valid.length === 0) return `${prefix.text}: invalid, whoever originates it`;
  return `${prefix.text}: valid from ${valid.map((asn) => `AS${asn}`).join(', ')}; invalid from any other AS`;
}

/** What one VRP says of the route. */
function saysOf({ asn, maxLength }: Vrp, { length }: Prefix, of: number | undefined): string {
  if (asn === 0) return 'nobody may';
  if (length > maxLength) return asn === of ? 'this AS, but not for so long a prefix' : 'not for so long a prefix';
  if (of === undefined) return 'valid';
  return asn === of ? 'valid' : 'another AS';
}

function ageText({ data, dataAtMs, place }: UsableData, nowMs: number): string {
  const made =
    dataAtMs === undefined
      ? 'of unknown age'
      : `made ${new Date(dataAtMs).toISOString().slice(0, 19)} UTC, ${Math.max(0, Math.round((nowMs - dataAtMs) / 60_000))} min ago`;
  return `source ${place}, ${made}: ${data.total} VRPs, ${data.aspas.size} ASPAs`;
}
