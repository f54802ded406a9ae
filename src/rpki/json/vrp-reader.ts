/**
 * VRPs and ASPAs as JSON, in every spelling that validators use: rpki-client, Routinator, RTRTR, StayRTR, FORT, OctoRPKI,
 * RIPEstat, SLURM (RFC 8416), and a bare list. Read while it arrives, an object at a time.
 */
import { MAX_ASN, parseAsn } from '../../bgp/as-path.ts';
import { MAX_LENGTH, parsePrefix } from '../../bgp/prefix.ts';
import { type RpkiData, UNKNOWN_TA } from '../rpki-data.ts';
import { PlainVrp, readPlainVrp } from './plain-vrp.ts';
import { type CutBounds, type CutDecision, ValueCutter, type ValueKind } from './value-cutter.ts';

/** The JSON of everything had 105 MB in 2026. */
export const JSON_BOUNDS: CutBounds = {
  bytes: 512 * 1024 * 1024,
  depth: 32,
  values: 8_000_000,
  valueBytes: 1024 * 1024,
};

/** `empty`: JSON of the right form without a single VRP or ASPA that can be read. `foreign`: JSON of another form. */
export type VrpReadResult = 'success' | 'truncated' | 'not_json' | 'too_large' | 'foreign' | 'empty';

export interface VrpRead {
  readonly result: VrpReadResult;
  /** Use it only after `success`. */
  readonly data: RpkiData;
  /** When the text itself says that the data was made, Unix ms; undefined: it does not. */
  readonly madeAtMs: number | undefined;
}

/** Where values stand, and what they are. */
const VALUES: Readonly<Record<string, 'vrp' | 'aspa' | 'metadata' | 'time' | 'fort_aspa'>> = {
  '[]': 'vrp',
  'roas[]': 'vrp',
  'data.roas[]': 'vrp',
  'data.validating_roas[]': 'vrp',
  'locallyAddedAssertions.prefixAssertions[]': 'vrp',
  'aspas[]': 'aspa',
  'provider_authorizations.ipv4[]': 'aspa',
  'provider_authorizations.ipv6[]': 'aspa',
  'locallyAddedAssertions.aspaAssertions[]': 'aspa',
  metadata: 'metadata',
  time: 'time',
};

/** The containers around them. */
const CONTAINERS: Readonly<Record<string, ValueKind | 'any'>> = {
  '': 'any',
  roas: 'list',
  data: 'object',
  'data.roas': 'list',
  'data.validating_roas': 'list',
  locallyAddedAssertions: 'object',
  'locallyAddedAssertions.prefixAssertions': 'list',
  'locallyAddedAssertions.aspaAssertions': 'list',
  aspas: 'list',
  aspa: 'object',
  provider_authorizations: 'object',
  'provider_authorizations.ipv4': 'list',
  'provider_authorizations.ipv6': 'list',
};

type Members = Readonly<Record<string, unknown>>;

/** Feed it with `push`, in order; then `end` gives what was read. */
export class VrpReader {
  readonly #cutter: ValueCutter;
  readonly #data: RpkiData;
  readonly #plain = new PlainVrp();
  #madeAtMs: number | undefined;
  #hasList = false;

  /** @param data empty; filled with what is read */
  constructor(data: RpkiData, bounds: CutBounds = JSON_BOUNDS) {
    this.#data = data;
    this.#cutter = new ValueCutter(bounds, {
      decide: (path, kind) => this.#decide(path, kind),
      take: (path, text, from, to) => this.#take(path, text, from, to),
    });
  }

  get bytes(): number {
    return this.#cutter.bytes;
  }

  /** Takes the next part of the text. False: no more is wanted, `end` tells why. */
  push(chunk: Buffer): boolean {
    return this.#cutter.push(chunk) && !this.#data.isOverfull;
  }

  end(): VrpRead {
    const data = this.#data;
    return { result: data.isOverfull ? 'too_large' : this.#result(), data, madeAtMs: this.#madeAtMs };
  }

  #result(): VrpReadResult {
    const result = this.#cutter.end();
    if (result !== 'complete') return result;
    if (!this.#hasList) return 'foreign';
    return this.#data.total === 0 && this.#data.aspas.size === 0 ? 'empty' : 'success';
  }

  #decide(path: string, kind: ValueKind): CutDecision {
    const container = Object.hasOwn(CONTAINERS, path) ? CONTAINERS[path] : undefined;
    if (container !== undefined && kind !== 'scalar' && (container === 'any' || container === kind)) {
      if (kind === 'list' || path === 'aspa') this.#hasList = true;
      return 'open';
    }
    if (Object.hasOwn(VALUES, path)) return 'take';
    return path.startsWith('aspa.') && kind === 'list' ? 'take' : 'skip';
  }

  #take(path: string, text: Buffer, from: number, to: number): boolean {
    const what = VALUES[path] ?? 'fort_aspa';
    if (what === 'vrp') {
      const plain = this.#plain;
      if (readPlainVrp(text, from, to, plain)) {
        const hasTa = plain.taTo > plain.taFrom;
        this.#addVrp(plain, plain.hadHostBits, hasTa ? text.toString('latin1', plain.taFrom, plain.taTo) : '');
        return true;
      }
    }
    let value: unknown;
    try {
      value = JSON.parse(text.toString('utf8', from, to));
    } catch {
      return false;
    }
    const members: Members = typeof value === 'object' && value !== null ? (value as Members) : {};
    switch (what) {
      case 'vrp':
        this.#vrp(members);
        break;
      case 'aspa':
        this.#aspa(members.customer ?? members.customer_asid ?? members.customerAsn, members);
        break;
      case 'fort_aspa':
        this.#aspa(path.slice('aspa.'.length), { providers: value });
        break;
      case 'metadata':
        this.#madeAtMs = unixSeconds(members.generated) ?? isoTime(members.buildtime);
        break;
      case 'time':
        this.#madeAtMs ??= isoTime(value);
        break;
    }
    return true;
  }

  #vrp(members: Members): void {
    const asn = asnOf(members.asn ?? members.origin);
    const prefix = typeof members.prefix === 'string' ? parsePrefix(members.prefix) : undefined;
    if (asn === undefined || prefix === undefined) {
      this.#data.refused++;
      return;
    }
    const { afi, words, length, hadHostBits } = prefix;
    const longest = members.maxLength ?? members.maxPrefixLength ?? members.max_length ?? length;
    const maxLength = wholeNumber(longest) ?? -1;
    const expiresS = members.expires === undefined ? 0 : wholeNumber(members.expires);
    if (expiresS === undefined || expiresS > MAX_ASN) this.#data.refused++;
    else this.#addVrp({ afi, words, length, maxLength, asn, expiresS }, hadHostBits, trustAnchorOf(members));
  }

  #addVrp(
    vrp: Omit<PlainVrp, 'taFrom' | 'taTo' | 'hadHostBits' | 'words'> & { readonly words: ArrayLike<number> },
    hadHostBits: boolean,
    trustAnchor: string,
  ): void {
    if (hadHostBits || vrp.maxLength < vrp.length || vrp.maxLength > MAX_LENGTH[vrp.afi]) {
      this.#data.refused++;
      return;
    }
    this.#data.addVrp(vrp, trustAnchorName(trustAnchor));
  }

  #aspa(customerText: unknown, members: Members): void {
    const customer = asnOf(customerText);
    const listed = members.providers ?? members.providerAsns;
    const providers = Array.isArray(listed) ? listed.map(asnOf) : [undefined];
    const expiresS = members.expires === undefined ? 0 : wholeNumber(members.expires);
    const isRight = customer !== undefined && customer !== 0 && expiresS !== undefined && expiresS <= MAX_ASN;
    if (!isRight || providers.includes(undefined)) this.#data.refused++;
    else this.#data.addAspa(customer, providers as number[], expiresS);
  }
}

/** `64500`, `"64500"`, `"AS64500"` or `"as64500"`. */
function asnOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isInteger(value) && value >= 0 && value <= MAX_ASN ? value : undefined;
  return typeof value === 'string' ? parseAsn(value.replace(/^as/i, '')) : undefined;
}

/** A whole number of a JSON value; a number that is written as text counts too. */
function wholeNumber(value: unknown): number | undefined {
  if (typeof value === 'string') return /^[0-9]{1,15}$/.test(value) ? Number(value) : undefined;
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined;
}

/** The detailed form of Routinator names it in the first of its sources. */
function trustAnchorOf({ ta, source }: Members): string {
  if (typeof ta === 'string') return ta;
  const first: unknown = Array.isArray(source) ? source[0] : undefined;
  const tal = typeof first === 'object' && first !== null ? (first as Members).tal : undefined;
  return typeof tal === 'string' ? tal : '';
}

/** What the trust anchor is called in labels. */
function trustAnchorName(text: string): string {
  return text !== 'N/A' && /^[\x21-\x7e][\x20-\x7e]{0,31}$/.test(text) ? text : UNKNOWN_TA;
}

function unixSeconds(value: unknown): number | undefined {
  const seconds = wholeNumber(value);
  return seconds === undefined || seconds === 0 || seconds > MAX_ASN ? undefined : seconds * 1_000;
}

/** ISO 8601; without a zone it is UTC. */
function isoTime(value: unknown): number | undefined {
  if (
    typeof value !== 'string' ||
    !/^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?$/.test(value)
  )
    return undefined;
  const ms = Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(value) ? value : `${value}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}
