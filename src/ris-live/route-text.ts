/**
 * AS paths and communities as RIPE's services write them in JSON, as texts of the exporter's own spelling. RIS Live and
 * RIPEstat share the form, so a route reads the same whichever of them told it.
 */
import { MAX_ASN, MAX_PATH_ASES, parseAsn, parseAsPath } from '../bgp/as-path.ts';

/** Members of one AS_SET: its count is one octet (RFC 4271 section 4.3). */
const MAX_SET = 255;

/** More communities than a message of 65,535 bytes (RFC 8654) has room for, at 4 bytes each. */
const MAX_COMMUNITIES = 16_384;

/**
 * The AS path, nearest AS first, as `parseAsPath` reads it; empty for an empty list. An AS may be a number or its decimal
 * text; an AS_SET a nested list or text in braces. Undefined when the value is not such a path.
 */
export function pathText(value: unknown): string | undefined {
  if (!Array.isArray(value) || value.length > MAX_PATH_ASES) return undefined;
  let text = '';
  let ases = 0;
  for (let i = 0; i < value.length; i++) {
    const element: unknown = value[i];
    if (isAsn(element)) {
      text += i === 0 ? element : ` ${element}`;
      ases++;
      continue;
    }
    const members = membersOf(element);
    if (members === undefined) return undefined;
    ases += members.length;
    // A text without braces is an AS, a list a set, be it of one member.
    const written =
      typeof element === 'string' && element[0] !== '{'
        ? String(members[0])
        : `{${[...new Set(members)].sort((a, b) => a - b).join(',')}}`;
    text += i === 0 ? written : ` ${written}`;
  }
  return ases <= MAX_PATH_ASES ? text : undefined;
}

/** The ASes of a nested list, of text in braces, or of the text of one AS; at least one. */
function membersOf(element: unknown): readonly number[] | undefined {
  if (typeof element === 'string') {
    if (element[0] !== '{') {
      const asn = parseAsn(element);
      return asn === undefined ? undefined : [asn];
    }
    const path = parseAsPath(element);
    const set = path?.length === 1 ? path[0] : undefined;
    return typeof set === 'object' ? set.members : undefined;
  }
  if (!Array.isArray(element) || element.length === 0 || element.length > MAX_SET) return undefined;
  const members: number[] = [];
  for (const member of element as readonly unknown[]) {
    const asn = asnOf(member);
    if (asn === undefined) return undefined;
    members.push(asn);
  }
  return members;
}

/** An AS number, or its decimal text, as a number. */
export function asnOf(value: unknown): number | undefined {
  if (isAsn(value)) return value;
  return typeof value === 'string' ? parseAsn(value) : undefined;
}

function isAsn(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= MAX_ASN && Number.isInteger(value);
}

/**
 * Communities, blank separated: `3333:100 64500:1`. Each is a list of numbers (two, or three of a large one) or text.
 * Undefined when the value is not such a list; absent is empty.
 */
export function communitiesText(value: unknown): string | undefined {
  if (value === undefined || value === null) return '';
  if (!Array.isArray(value) || value.length > MAX_COMMUNITIES) return undefined;
  let text = '';
  for (let i = 0; i < value.length; i++) {
    const community = communityText(value[i]);
    if (community === undefined) return undefined;
    text += i === 0 ? community : ` ${community}`;
  }
  return text;
}

function communityText(value: unknown): string | undefined {
  if (typeof value === 'string') return /^[0-9]{1,10}(?::[0-9]{1,10}){1,2}$/.test(value) ? value : undefined;
  if (!Array.isArray(value) || value.length < 2 || value.length > 3) return undefined;
  const [first, second, third] = value as readonly unknown[];
  if (!isAsn(first) || !isAsn(second)) return undefined;
  if (value.length === 2) return `${first}:${second}`;
  return isAsn(third) ? `${first}:${second}:${third}` : undefined;
}
