/** `bgproutes-exporter watch origins|visibility`: a line for every change that matters. */

import { parsePrefix } from '../../bgp/prefix.ts';
import { didYouMean } from '../../input/suggestion.ts';
import { type Flag, formatFlags, parseArguments, UsageError } from '../arguments.ts';
import type { Command, CommandIo } from '../command.ts';
import { choiceOf, KEY_NOTE, PREFIX_FLAG, SERVICE_FLAGS, serviceOf } from '../service.ts';
import { follow, type OnMessage } from '../terminal/follow.ts';
import { foldParts, jsonLine, type LineOutput, type LinePart } from '../terminal/line-output.ts';
import { note } from '../terminal/note.ts';
import { followRisLive, isRisLive, RIS_FLAGS } from './ris-live.ts';
import { isoTime, speakerOf } from './tail.ts';
import { type OriginEvent, OriginWatch } from './watch/watch-origins.ts';
import type { HeardVps } from './watch/watch-table.ts';
import { type VisibilityEvent, VisibilityWatch } from './watch/watch-visibility.ts';

const WORDS = ['origins', 'visibility'] as const;
const FORMATS = ['pretty', 'json'] as const;

/** Origins named in a line for people; the others are counted. */
const MAX_ORIGINS = 5;

const FLAGS: readonly Flag[] = [
  {
    ...PREFIX_FLAG,
    help: 'Prefix to watch, such as 192.0.2.0/24. Repeatable. Without it: those that the key has already.',
  },
  { name: 'format', value: FORMATS.join('|'), help: 'For people, or one JSON object on each line [pretty].' },
  ...RIS_FLAGS,
  ...SERVICE_FLAGS,
];

export const watchCommand: Command = {
  name: 'watch',
  summary: 'Print changes of origin, or who loses a prefix and sees it again, as it happens',
  flags: FLAGS,
  words: WORDS,
  help: `Usage: bgproutes-exporter watch origins|visibility [flags]

origins     Compares each announcement with the previous one of the same vantage point (VP). Prints a line when the origin
            differs, and when a VP is heard for the first time.
visibility  Prints a line when a VP withdraws a prefix, and when it announces it again.

Every line ends with the present number of VPs. The stream has only changes, so only VPs that were heard since the start
count. For complete numbers run the exporter, which first reads the table from a history. A repetition prints nothing.

${KEY_NOTE}
Flags:
${formatFlags(FLAGS)}
Examples:
  bgproutes-exporter watch origins --source=ris-live --prefix=193.0.0.0/21
  BGP_API_KEY=… bgproutes-exporter watch origins --prefix=192.23.62.0/24 --prefix=2a06:3040:10::/48
`,

  async run(args, io) {
    const { flags, positionals } = parseArguments(args, FLAGS, ['origins or visibility']);
    const what = WORDS.find((word) => word === positionals[0]);
    if (what === undefined) {
      const [word] = positionals;
      const meant =
        parsePrefix(word) === undefined ? didYouMean(word, WORDS) : `, did you mean origins --prefix=${word}?`;
      throw new UsageError(`expected origins or visibility, got "${word}"${meant}`);
    }
    const format = choiceOf(flags, 'format', FORMATS, 'pretty');
    const onMessage = what === 'origins' ? watchOrigins(format, io) : watchVisibility(format, io);
    if (isRisLive(flags)) return followRisLive(flags, io, onMessage);
    return follow(serviceOf(flags, io.env), io, onMessage);
  },
};

function watchOrigins(format: (typeof FORMATS)[number], io: CommandIo): OnMessage {
  const watch = new OriginWatch();
  const full = fullNote(watch.vps, io);
  return async (message, output) => {
    for (const event of watch.apply(message)) {
      await output.line(format === 'json' ? jsonLine(event) : folded(originLine(event), io, output));
    }
    full();
  };
}

function watchVisibility(format: (typeof FORMATS)[number], io: CommandIo): OnMessage {
  const watch = new VisibilityWatch();
  const full = fullNote(watch.vps, io);
  return async (message, output) => {
    for (const event of watch.apply(message)) {
      await output.line(format === 'json' ? jsonLine(event) : folded(visibilityLine(event), io, output));
    }
    full();
  };
}

/** Says once that there are more VPs than are kept. */
function fullNote(vps: HeardVps<unknown>, io: CommandIo): () => void {
  let isSaid = false;
  return () => {
    if (isSaid || vps.refused === 0) return;
    isSaid = true;
    note(io, 'more vantage points and prefixes than are kept; new ones are not watched');
  };
}

/** One line; on a terminal that is narrower it is folded. */
function folded(parts: readonly LinePart[], { stdout }: CommandIo, { paint }: LineOutput): string {
  return foldParts(parts, stdout.columns ?? Number.POSITIVE_INFINITY, paint);
}

function originLine(event: OriginEvent): LinePart[] {
  const { from, to, origins } = event;
  const change: LinePart =
    from === undefined
      ? { gap: ' ', text: `first seen from ${asName(to)}` }
      : { gap: ' ', text: `origin changed from ${asName(from)} to ${asName(to)}`, colour: 'yellow' };
  const named = origins.slice(0, MAX_ORIGINS).map(({ origin, vps }) => `${asName(origin)} at ${vpCount(vps)}`);
  if (origins.length > MAX_ORIGINS) named.push(`${origins.length - MAX_ORIGINS} more origins`);
  return [...head(event), change, { gap: ' ', text: `at ${speakerOf(event)}; now ${named.join(', ')}` }];
}

function visibilityLine(event: VisibilityEvent): LinePart[] {
  const { type, known, visibleVps, heardVps } = event;
  const change: LinePart =
    type === 'lost'
      ? { gap: ' ', text: 'visibility lost', colour: 'red' }
      : { gap: ' ', text: 'visibility regained', colour: 'green' };
  const first = known ? '' : ', not heard of before';
  const now = `now at ${visibleVps} of ${vpCount(heardVps)} heard of`;
  return [...head(event), change, { gap: ' ', text: `at ${speakerOf(event)}${first}; ${now}` }];
}

function head({ timestampUs, prefix }: OriginEvent | VisibilityEvent): LinePart[] {
  return [
    { gap: '', text: isoTime(timestampUs), colour: 'grey' },
    { gap: ' ', text: `${prefix}:` },
  ];
}

function asName(origin: number | string): string {
  return typeof origin === 'number' ? `AS${origin}` : origin;
}

function vpCount(vps: number): string {
  return `${vps} VP${vps === 1 ? '' : 's'}`;
}
