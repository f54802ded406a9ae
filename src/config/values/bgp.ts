/** Values of BGP: AS numbers, AS_SETs, countries, prefixes. */
import { z } from 'zod';
import { type AsOrSet, asSet, MAX_ASN, parseAsn } from '../../bgp/as-path.ts';
import { formatAddress, MAX_LENGTH, maskWords, type Prefix, parseAddress, parsePrefix } from '../../bgp/prefix.ts';
import { countryOf } from '../../bgp/regions.ts';
import { accept, addFault, type IssueStyle, type JsonKinds, jsonKinds, refuse, value } from './value.ts';

const AS_KINDS: JsonKinds = { type: ['integer', 'string'] };

/** An AS in plain decimal, also as `AS64500` (RFC 7607: 0 is no AS), or an AS_SET of such in braces. */
const asOrSet = value<AsOrSet>(
  `an AS number from 1 to ${MAX_ASN}, or an AS_SET such as "{64501,64502}"`,
  (input) => {
    // YAML reads a set without quotes as a map of keys without values.
    if (isBareSet(input)) return refuse(`put it in quotes: "{${Object.keys(input).join(',')}}"`);
    if (typeof input !== 'number' && typeof input !== 'string') return refuse();
    const text = String(input);
    if (!text.startsWith('{')) return asnOf(text) ?? refuse(asHint(text));
    const members = text.endsWith('}')
      ? text
          .slice(1, -1)
          .trim()
          .split(/ *, *| +/)
      : [];
    if (members.length === 0 || members.length > MAX_SET) return refuse();
    const ases: number[] = [];
    for (const member of members) {
      const asn = asnOf(member);
      if (asn === undefined) return refuse(asHint(member));
      ases.push(asn.value);
    }
    return accept(asSet(ases));
  },
  'value',
  AS_KINDS,
);

/** An AS in plain decimal, also as `AS64500`. */
const asNumber = value<number>(
  `an AS number from 1 to ${MAX_ASN}`,
  (input) => {
    if (typeof input !== 'number' && typeof input !== 'string') return refuse();
    return asnOf(String(input)) ?? refuse(asHint(String(input)));
  },
  'value',
  AS_KINDS,
);

/** ASes, also none. */
export function asList(maxCount: number) {
  return z
    .array(asNumber, { error: 'expected a list of AS numbers' })
    .max(maxCount, `expected at most ${maxCount} AS numbers`);
}

const country = value<string>('a country by its two letters (ISO 3166), such as NL', (input) => {
  const found = typeof input === 'string' && input.length <= 100 ? countryOf(input) : '';
  if (found === '') return refuse();
  return input === found ? accept(found) : refuse(`did you mean ${found}?`);
});

/** Distinct countries, also none. */
export function countries(maxCount: number) {
  return z
    .array(country, { error: 'expected a list of countries such as [NL, DE]' })
    .transform((list, context): readonly string[] => {
      if (list.length > maxCount) addFault(context, [], `expected at most ${maxCount} countries, got ${list.length}`);
      for (const [i, one] of list.entries())
        if (list.indexOf(one) < i) addFault(context, [i], `${one} is listed twice`);
      return list;
    });
}

/** A segment of a path has no more (RFC 4271 section 4.3). */
const MAX_SET = 255;

function asnOf(text: string): { readonly ok: true; readonly value: number } | undefined {
  const digits = text.replace(/^AS/i, '');
  const asn = parseAsn(digits);
  return asn === undefined || asn === 0 || (digits.length > 1 && digits.startsWith('0'))
    ? undefined
    : { ok: true, value: asn };
}

function asHint(text: string): string | undefined {
  if (/^(?:AS)?[0-9]+\.[0-9]+$/i.test(text)) return 'asdot is not read, write it in plain decimal';
  const spaced = /^ASN?[ :-]*([1-9][0-9]*)$/i.exec(text)?.[1];
  return spaced !== undefined && asnOf(spaced) !== undefined ? `did you mean ${spaced}?` : undefined;
}

function isBareSet(input: unknown): input is object {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return false;
  const entries = Object.entries(input);
  return entries.length > 0 && entries.every(([key, of]) => asnOf(key) !== undefined && of === null);
}

/** Longest text that is taken for a list, in characters. */
const MAX_LIST_TEXT = 100;

/** The list that was meant by one AS or AS_SET, or by a text such as `[64500]` or `1103, 3356`; undefined when none is clear. */
function nearAsNumbers(input: unknown): string | undefined {
  const one = asOrSet.safeParse(input);
  if (one.success) return `[${typeof one.data === 'string' ? JSON.stringify(one.data) : one.data}]`;
  if (typeof input !== 'string' || input.length > MAX_LIST_TEXT) return undefined;
  const ases = input
    .replace(/^\[(.*)\]$/, '$1')
    .trim()
    .split(/ *[,;] *| +/)
    .map(asnOf);
  return ases.every((asn) => asn !== undefined) ? `[${ases.map(({ value }) => value).join(', ')}]` : undefined;
}

/** Distinct ASes or AS_SETs, at least one: an empty list could mean none or any. */
export function asNumbers(maxCount: number) {
  const schema = z.unknown().transform((input, context): readonly AsOrSet[] => {
    if (!Array.isArray(input)) {
      const near = nearAsNumbers(input);
      const params: IssueStyle = { got: 'kind', hint: near === undefined ? undefined : `did you mean ${near}?` };
      context.addIssue({ code: 'custom', message: 'expected a list of AS numbers', params, input });
      return z.NEVER;
    }
    if (input.length === 0)
      addFault(context, [], 'expected an AS number or more, got none (leave the key out for any)');
    if (input.length > maxCount) addFault(context, [], `expected at most ${maxCount} AS numbers, got ${input.length}`);
    const numbers = new Set<AsOrSet>();
    for (const [i, item] of input.slice(0, maxCount).entries()) {
      const result = asOrSet.safeParse(item);
      if (!result.success) {
        for (const issue of result.error.issues) context.addIssue({ ...issue, path: [i] });
      } else if (numbers.has(result.data))
        addFault(context, [i], `${typeof result.data === 'number' ? 'AS ' : ''}${result.data} is listed twice`);
      else numbers.add(result.data);
    }
    return [...numbers];
  });
  jsonKinds.add(schema, { description: 'a list of AS numbers', type: 'array', items: AS_KINDS });
  return schema;
}

/** A prefix in canonical form; host bits are an error, since the block that was meant is not certain. */
export const prefix = value<Prefix>('a prefix such as 192.0.2.0/24 or 2001:db8::/32', (input) => {
  if (typeof input !== 'string') return refuse();
  const parsed = parsePrefix(input);
  if (parsed === undefined) return refuse(prefixHint(input));
  if (parsed.hadHostBits) return { ok: false, message: `${input}: host bits are set, did you mean ${parsed.text}?` };
  return accept(parsed);
});

/** What is probably wrong with a text that is not a prefix. */
function prefixHint(input: string): string | undefined {
  const several = input.split(',');
  if (several.length > 1 && several.every((text) => parsePrefix(text.trim()) !== undefined)) {
    return 'these are several, each is given on its own';
  }
  const [address, length, ...rest] = input.split('/');
  if (rest.length > 0 || input.length > 64) return undefined;
  const words = parseAddress(address);
  if (words !== undefined) {
    if (length === undefined) return 'the length is missing, as /24';
    const [afi, name] = words.length === 1 ? (['ipv4', 'an IPv4'] as const) : (['ipv6', 'an IPv6'] as const);
    const ones = afi === 'ipv4' ? netmaskLength(length) : undefined;
    if (ones !== undefined) return `a length is expected, not a netmask${didYouMean(address, String(ones))}`;
    return /^[0-9]+$/.test(length) && Number(length) > MAX_LENGTH[afi]
      ? `the length of ${name} prefix is 0 to ${MAX_LENGTH[afi]}`
      : undefined;
  }
  if (!/^[0-9]+(?:\.[0-9]+){0,3}$/.test(address)) return undefined;
  const parts = address.split('.');
  const decimal = parts.map((part) => Number(part));
  const meant = didYouMean([...decimal, 0, 0, 0].slice(0, 4).join('.'), length);
  if (parts.length < 4) return `an IPv4 address has four parts${meant}`;
  if (parts.some((part) => /^0[0-9]/.test(part))) return `a leading zero makes a part octal to some programs${meant}`;
  return decimal.some((part) => part > 255) ? 'a part of an IPv4 address is at most 255' : undefined;
}

/** How many ones a netmask such as 255.255.248.0 begins with; undefined: the text is no netmask. */
function netmaskLength(text: string): number | undefined {
  const words = parseAddress(text);
  if (words?.length !== 1) return undefined;
  const ones = Math.clz32(~words[0]);
  return maskWords([0xffff_ffff], ones)[0] === words[0] ? ones : undefined;
}

function didYouMean(address: string, length: string | undefined): string {
  const words = parseAddress(address);
  if (words === undefined || length === undefined || !/^(?:[0-9]|[12][0-9]|3[0-2])$/.test(length)) return '';
  return `, did you mean ${formatAddress(maskWords(words, Number(length)))}/${length}?`;
}
