/** Which vantage points a command of the Data API asks for. */
import { parseAsn } from '../../bgp/as-path.ts';
import { formatAddress, parseAddress } from '../../bgp/prefix.ts';
import { countryOf } from '../../bgp/regions.ts';
import { PROTOCOLS } from '../../bgp/vantage-point.ts';
import { LIVE_SOURCES, type Unreadable, type VantagePointsParams } from '../../bgproutes/data-api/types.ts';
import { alternatives } from '../../input/suggestion.ts';
import { VP_STATUSES } from '../../stream/history.ts';
import { type Arguments, type Flag, UsageError } from '../arguments.ts';
import type { CommandIo } from '../command.ts';
import { note } from '../terminal/note.ts';

/** The sources of VPs: those that stream live, then those that do not. */
const SOURCES: readonly string[] = [...LIVE_SOURCES, 'pch', 'cgtf'];

export const VP_FLAGS: readonly Flag[] = [
  { name: 'asn', value: 'ASN', repeatable: true, help: 'Only VPs of this AS. Repeatable, like the other filters.' },
  { name: 'ip', value: 'ADDRESS', repeatable: true, help: 'Only the VP with this address.' },
  { name: 'protocol', value: 'bgp|bmp', repeatable: true, help: 'Only VPs heard over this protocol.' },
  {
    name: 'source',
    value: 'NAME',
    repeatable: true,
    help: 'Only VPs of this project: bgproutes.io, ris or routeviews, which stream live, or pch or cgtf, which do not.',
  },
  { name: 'country', value: 'CODE', repeatable: true, help: 'Only VPs in this country, such as NL.' },
  { name: 'status', value: VP_STATUSES.join('|'), repeatable: true, help: 'Only VPs whose session has this status.' },
];

/** @throws UsageError for the first value that is not valid */
export function vpFilterOf(flags: Arguments['flags']): VantagePointsParams {
  return {
    asns: listOf(flags, 'asn', (text) => parseAsn(text.replace(/^AS/i, '')), 'an AS number such as 64500'),
    ips: listOf(flags, 'ip', addressOf, 'an address such as 192.0.2.1'),
    protocols: listOf(flags, 'protocol', (text) => PROTOCOLS.find((one) => one === text), 'bgp or bmp'),
    sources: listOf(flags, 'source', wordOf, 'a name such as ris'),
    countries: listOf(flags, 'country', countryCode, 'a code of two letters such as NL (ISO 3166-1)', countryOf),
    statuses: listOf(flags, 'status', (text) => VP_STATUSES.find((one) => one === text), alternatives(VP_STATUSES)),
  };
}

function listOf<T>(
  flags: Arguments['flags'],
  name: string,
  read: (text: string) => T | undefined,
  expected: string,
  near: (text: string) => string = () => '',
): readonly T[] {
  const given = (flags[name] ?? []) as readonly string[];
  return given.map((text) => {
    const value = read(text);
    if (value !== undefined) return value;
    const meant = near(text);
    const hint = meant === '' ? '' : `, did you mean ${meant}?`;
    throw new UsageError(`--${name}: expected ${expected}, got ${JSON.stringify(text)}${hint}`);
  });
}

/** Any two letters, since the service may have codes of its own, but not those that people write for another code (`UK`). */
function countryCode(text: string): string | undefined {
  const code = text.toUpperCase();
  const known = countryOf(text);
  return /^[A-Z]{2}$/.test(code) && (known === '' || known === code) ? code : undefined;
}

/**
 * Says which of the sources and countries asked for are not known: the service may have new ones, but most often it is a
 * mistake, such as a collector (`rrc00`), and the table would just be empty.
 */
export function noteUnknown(
  { sources = [], countries = [] }: VantagePointsParams,
  io: Pick<CommandIo, 'stderr'>,
): void {
  for (const country of countries)
    if (countryOf(country) === '') note(io, `--country=${country}: no such country is known (ISO 3166-1)`);
  for (const source of sources) {
    if (SOURCES.includes(source)) continue;
    note(io, `--source=${source}: no such source is known; known are ${SOURCES.join(', ')}`);
  }
}

function addressOf(text: string): string | undefined {
  const words = parseAddress(text);
  return words === undefined ? undefined : formatAddress(words);
}

/** The text if it is one word. A comma would make two of it. */
function wordOf(text: string): string | undefined {
  return /^[A-Za-z0-9._-]{1,64}$/.test(text) ? text : undefined;
}

/** `2 records could not be read (vp: 2)`; undefined when all could. */
export function unreadableNote(unreadable: Partial<Unreadable>): string | undefined {
  const reasons = Object.entries(unreadable).filter(([, count]) => count > 0);
  if (reasons.length === 0) return undefined;
  const total = reasons.reduce((sum, [, count]) => sum + count, 0);
  return `${total} of the answer could not be taken as it came (${reasons.map(([reason, n]) => `${reason}: ${n}`).join(', ')})`;
}
