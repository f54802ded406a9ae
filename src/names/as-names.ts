/**
 * Names of ASes, from a file in one of the forms in which they are published:
 *
 * - RIPE NCC `asn.txt`: `3333 RIPE-NCC-AS RIPE Network Coordination Centre, NL`
 * - bgp.tools `asns.csv`: `AS3333,"RIPE NCC",Content,NL`, below a header
 * - Team Cymru, bulk whois: `3333 | NL | ripencc | 1996-06-19 | RIPE-NCC-AS …, NL`
 * - CAIDA AS Organizations: JSON lines of `ASN` and `Organization` records
 *
 * The text is kept as it is, beside an index of where the line of each AS begins: of some 120,000 names a few are asked for.
 */
import { MAX_ASN } from '../bgp/as-path.ts';

export interface AsName {
  /** At most `MAX_NAME` characters, none of them a control character. */
  readonly name: string;
  /** Two capital letters; empty when the file does not tell. */
  readonly country: string;
}

/** Longer names are cut: some are whole sentences. */
export const MAX_NAME = 100;
/** Most ASes that are read from one file; further ones are left out. There are some 120,000 in the world. */
export const MAX_ASES = 1_000_000;
/** Longest id of an organisation; those of CAIDA have some twenty characters. */
const MAX_ID = 64;
/** A longer line does not name an AS. */
const MAX_LINE = 4_096;
/** Lines read in one step: some 0.1 ms for JSON lines. */
const LINES_A_STEP = 64;

const NEWLINE = 10;
const ZERO = 48;

export class AsNames {
  #unreadable = 0;
  readonly #bytes: Buffer;
  /** Where the line of an AS begins. */
  readonly #starts = new Map<number, number>();
  /** By the id of an organisation: where its line begins. Only of JSON lines. */
  readonly #organisations = new Map<string, number>();

  private constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Total: any bytes give names, perhaps none. The bytes must not change. A step is `LINES_A_STEP` lines. */
  static *read(bytes: Buffer): Generator<void, AsNames> {
    const names = new AsNames(bytes);
    let lines = 0;
    for (let at = 0; at < bytes.length; ) {
      if (!names.#index(at)) names.#unreadable++;
      const newline = bytes.indexOf(NEWLINE, at);
      at = newline === -1 ? bytes.length : newline + 1;
      if (++lines % LINES_A_STEP === 0) yield;
    }
    return names;
  }

  /** How many lines have an unknown form; a header, comments and empty lines are not counted. */
  get unreadable(): number {
    return this.#unreadable;
  }

  /** How many ASes have a name. */
  get size(): number {
    return this.#starts.size;
  }

  /** Undefined: the file has no name of the AS. */
  find(asn: number): AsName | undefined {
    const start = this.#starts.get(asn);
    return start === undefined ? undefined : this.#read(this.#lineAt(start));
  }

  /** Whether the line that begins here is one that may be there. */
  #index(start: number): boolean {
    const bytes = this.#bytes;
    if (bytes[start] === 0x7b) return this.#indexJson(start);
    let at = start;
    const isNamed = (bytes[at] | 0x20) === 0x61 && (bytes[at + 1] | 0x20) === 0x73; // AS
    if (isNamed) at += 2;
    const first = at;
    let asn = 0;
    for (; at < first + 10; at++) {
      const digit = bytes[at] - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      asn = asn * 10 + digit;
    }
    // A header, a comment, or a line without anything.
    if (at === first)
      return isNamed ? /^asn?\b/i.test(this.#lineAt(start)) : /^(?:\s*$|#|Bulk mode)/i.test(this.#lineAt(start));
    if (asn > MAX_ASN || ![0x20, 0x2c, 0x7c, 0x09].includes(bytes[at])) return false;
    this.#note(asn, start);
    return true;
  }

  #indexJson(start: number): boolean {
    const record = parseRecord(this.#lineAt(start));
    if (record === undefined) return false;
    if (record.type === 'Organization') {
      const { organizationId: id } = record;
      if (typeof id !== 'string' || id.length > MAX_ID || this.#organisations.size >= MAX_ASES) return false;
      this.#organisations.set(id, start);
      return true;
    }
    const asn = typeof record.asn === 'string' || typeof record.asn === 'number' ? String(record.asn) : '';
    if (!/^[0-9]{1,10}$/.test(asn) || Number(asn) > MAX_ASN) return false;
    this.#note(Number(asn), start);
    return true;
  }

  #note(asn: number, start: number): void {
    if (this.#starts.size < MAX_ASES) this.#starts.set(asn, start);
  }

  #lineAt(start: number): string {
    const newline = this.#bytes.indexOf(NEWLINE, start);
    const end = Math.min(newline === -1 ? this.#bytes.length : newline, start + MAX_LINE);
    return this.#bytes.toString('utf8', start, end);
  }

  #read(line: string): AsName | undefined {
    if (line.startsWith('{')) return this.#readJson(line);
    const rest = line.replace(/^(?:AS)?[0-9]+\s*/i, '');
    if (rest.startsWith('|')) {
      const [, country = '', , , name = ''] = rest.split('|');
      const named = withCountry(name);
      return nameOf(named.name, named.country || country.trim());
    }
    if (rest.startsWith(',')) {
      const [name = '', ...others] = csvFields(rest.slice(1));
      return nameOf(name, others.at(-1) ?? '');
    }
    const { name, country } = withCountry(rest);
    return nameOf(name, country);
  }

  #readJson(line: string): AsName | undefined {
    const record = parseRecord(line);
    const start = this.#organisations.get(String(record?.organizationId));
    const organisation = start === undefined ? undefined : parseRecord(this.#lineAt(start));
    return nameOf(String(organisation?.name ?? record?.name ?? ''), String(organisation?.country ?? ''));
  }
}

function nameOf(text: string, country: string): AsName | undefined {
  const name = text.replace(/\p{C}+/gu, ' ').trim();
  if (name === '') return undefined;
  return {
    name: [...name].slice(0, MAX_NAME).join(''),
    country: /^[A-Z]{2}$/.test(country.trim()) ? country.trim() : '',
  };
}

/** `NAME, CC`: what is behind the last comma is a country only when it has two letters. */
function withCountry(text: string): AsName {
  const [, name = text, country = ''] = /^(.*),\s*([A-Z]{2})\s*$/.exec(text) ?? [];
  return { name, country };
}

/** Fields of a line of RFC 4180. */
function csvFields(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '').trim() : quoted.replaceAll('""', '"'),
  );
}

function parseRecord(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}
