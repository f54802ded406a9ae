/** `bgproutes-exporter tail`: prints the messages of the live stream. */

import type { LiveMessage } from '../../bgp/live-message.ts';
import { formatMessage } from '../../bgproutes/client/format-message.ts';
import { type Flag, formatFlags, parseArguments } from '../arguments.ts';
import type { Command } from '../command.ts';
import { choiceOf, KEY_NOTE, PREFIX_FLAG, SERVICE_FLAGS, serviceOf } from '../service.ts';
import { follow, type OnMessage } from '../terminal/follow.ts';
import { foldParts, jsonLine, type LinePart, type Paint } from '../terminal/line-output.ts';
import { followRisLive, isRisLive, RIS_FLAGS } from './ris-live.ts';

const FORMATS = ['pretty', 'v1', 'v2', 'json'] as const;

const FLAGS: readonly Flag[] = [
  {
    ...PREFIX_FLAG,
    help: 'Prefix to subscribe to, such as 192.0.2.0/24. Repeatable. Without it: those that the key has already.',
  },
  {
    name: 'format',
    value: FORMATS.join('|'),
    help: 'pretty is for people; v1 is the documented line of the service; v2 is its newer line, with protocol and parent; json is one object on each line [pretty].',
  },
  ...RIS_FLAGS,
  ...SERVICE_FLAGS,
];

export const tailCommand: Command = {
  name: 'tail',
  summary: 'Print the announcements and withdrawals of prefixes as they happen',
  flags: FLAGS,
  help: `Usage: bgproutes-exporter tail [flags]

Prints what vantage points announce (+, U) and withdraw (-, W) from now on, until Ctrl-C, or until the program that reads its
output has ended. What happens to the connection is printed on standard error. Each message is one line. On a terminal that is
too narrow for it, the format pretty is folded between words.

v1: TIMESTAMP|MSG_TYPE|VP_ASN|VP_IP|PREFIXES|ASPATH|COMMUNITIES|ORIGIN|NEXTHOP
v2: TIMESTAMP|MSG_TYPE|PROTOCOL|VP_ASN|VP_IP|PARENT_ASN|PARENT_IP|PREFIXES|… and so on as v1

${KEY_NOTE}
Flags:
${formatFlags(FLAGS)}
Examples:
  bgproutes-exporter tail --source=ris-live --prefix=193.0.0.0/21
  BGP_API_KEY=… bgproutes-exporter tail --prefix=192.23.62.0/24 --prefix=2a06:3040:10::/48 --format=v1 | tee session.txt
`,

  async run(args, io) {
    const { flags } = parseArguments(args, FLAGS);
    const format = choiceOf(flags, 'format', FORMATS, 'pretty');
    const width = io.stdout.columns;
    const onMessage: OnMessage = (message, output) => output.line(lineOf(message, format, output.paint, width));
    if (isRisLive(flags)) return followRisLive(flags, io, onMessage);
    return follow(serviceOf(flags, io.env), io, onMessage);
  },
};

/** @param width characters of the terminal; undefined: any number */
function lineOf(
  message: LiveMessage,
  format: (typeof FORMATS)[number],
  paint: Paint,
  width: number | undefined,
): string {
  if (format === 'json') return jsonLine(message);
  if (format !== 'pretty') return formatMessage(message, { style: format });
  return foldParts(partsOf(message), width ?? Number.POSITIVE_INFINITY, paint);
}

/** For people. */
function partsOf(message: LiveMessage): LinePart[] {
  const time: LinePart = { gap: '', text: isoTime(message.timestampUs), colour: 'grey' };
  const who: LinePart = { gap: '  ', text: speakerOf(message) };
  const prefixes = message.prefixes.join(' ');
  if (message.type === 'withdrawal') return [time, { gap: ' ', text: `- ${prefixes}`, colour: 'red' }, who];
  // Path attributes are text of strangers; formatMessage makes it safe for a terminal.
  const [asPath, communities, origin, nextHop] = formatMessage(message, { style: 'v1' }).split('|').slice(5);
  const more = [
    nextHop === '' ? '' : `next hop ${nextHop}`,
    origin,
    communities.trim() === '' ? '' : `[${communities.trim()}]`,
  ]
    .filter((part) => part !== '')
    .join(' ');
  return [
    time,
    { gap: ' ', text: `+ ${prefixes}`, colour: 'green' },
    who,
    { gap: '  ', text: 'path' },
    { gap: ' ', text: asPath === '' ? '(empty)' : asPath, colour: 'cyan' },
    ...(more === '' ? [] : [{ gap: '  ', text: more, colour: 'grey' } as const]),
  ];
}

/** Milliseconds are enough for people; UTC. */
export function isoTime(timestampUs: number): string {
  return new Date(Math.floor(timestampUs / 1000)).toISOString();
}

/** `AS3333 193.0.0.56`, and for BMP the router that is monitored. */
export function speakerOf({ vp }: Pick<LiveMessage, 'vp'>): string {
  const parent = vp.parent === undefined ? '' : ` (BMP, of AS${vp.parent.asn} ${vp.parent.ip})`;
  return `AS${vp.asn} ${vp.ip}${parent}`;
}
