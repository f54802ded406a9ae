/** What a client accepts (RFC 9110, section 12.5): the format of the metrics, and whether they may be compressed. */

export type ExpositionFormat = 'text' | 'openmetrics';

export interface Exposition {
  readonly format: ExpositionFormat;
  readonly contentType: string;
}

interface Offer extends Exposition {
  readonly type: string;
  readonly subtype: string;
  readonly version: string;
}

function offer(format: ExpositionFormat, mediaType: string, version: string): Offer {
  const [type, subtype] = mediaType.split('/');
  return { format, type, subtype, version, contentType: `${mediaType}; version=${version}; charset=utf-8` };
}

/**
 * A client gets the first one when it asks for no format, or only for formats that are not here: an answer is more useful to a scraper than
 * 406. OpenMetrics 0.0.1 is what old scrapers ask for; what is written here is valid in both versions.
 */
const OFFERS: readonly Offer[] = [
  offer('text', 'text/plain', '0.0.4'),
  offer('openmetrics', 'application/openmetrics-text', '1.0.0'),
  offer('openmetrics', 'application/openmetrics-text', '0.0.1'),
];

interface Range {
  readonly value: string;
  readonly parameters: ReadonlyMap<string, string>;
  /** 0 to 1; 0: not acceptable. */
  readonly quality: number;
}

/**
 * The format that the `Accept` header wants most: by quality, then by how exactly the range names it, then by its place in
 * the header. Parameters other than `version` and `q` do not decide: no client gets less by them.
 */
export function negotiateFormat(accept: string | undefined): Exposition {
  const ranges = parseRanges(accept ?? '');
  let best: { readonly offer: Offer; readonly rank: readonly number[] } | undefined;
  for (const each of OFFERS) {
    // If several ranges match an offer, the most exact one says its quality (section 12.5.1).
    let found: { readonly quality: number; readonly exactness: number; readonly place: number } | undefined;
    for (const [place, range] of ranges.entries()) {
      const exactness = exactnessOf(range, each);
      if (exactness > (found?.exactness ?? 0)) found = { quality: range.quality, exactness, place };
    }
    if (found === undefined || found.quality === 0) continue;
    const rank = [found.quality, found.exactness, -found.place];
    if (best === undefined || isHigher(rank, best.rank)) best = { offer: each, rank };
  }
  const { format, contentType } = best?.offer ?? OFFERS[0];
  return { format, contentType };
}

/** Whether the `Accept-Encoding` header prefers gzip over the plain body, or takes both alike. */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  const ranges = parseRanges(acceptEncoding ?? '');
  const quality = (...names: string[]) => ranges.find(({ value }) => names.includes(value))?.quality;
  const gzip = quality('gzip', 'x-gzip') ?? quality('*') ?? 0;
  return gzip > 0 && gzip >= (quality('identity') ?? 0);
}

/** 0: no match. */
function exactnessOf({ value, parameters }: Range, { type, subtype, version }: Offer): number {
  if (value === '*/*') return 1;
  if (value === `${type}/*`) return 2;
  if (value !== `${type}/${subtype}`) return 0;
  const wanted = parameters.get('version');
  if (wanted === undefined) return 3;
  return wanted === version ? 4 : 0;
}

function isHigher(a: readonly number[], b: readonly number[]): boolean {
  const i = a.findIndex((value, j) => value !== b[j]);
  return i !== -1 && a[i] > b[i];
}

/** The elements of a comma separated list with parameters. One that is not well formed is left out. */
function parseRanges(header: string): Range[] {
  const ranges: Range[] = [];
  for (const element of splitOutsideQuotes(header, ',')) {
    const [value, ...rest] = splitOutsideQuotes(element, ';').map((part) => part.trim());
    if (value === '') continue;
    const parameters = new Map<string, string>();
    for (const parameter of rest) {
      const at = parameter.indexOf('=');
      if (at > 0) parameters.set(parameter.slice(0, at).trim().toLowerCase(), unquote(parameter.slice(at + 1).trim()));
    }
    const q = parameters.get('q') ?? '1';
    // Section 12.4.2: three digits at most.
    if (/^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/.test(q)) {
      ranges.push({ value: value.toLowerCase(), parameters, quality: Number(q) });
    }
  }
  return ranges;
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    if (quoted && text[i] === '\\') i++;
    else if (text[i] === '"') quoted = !quoted;
    else if (text[i] === separator && !quoted) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  return [...parts, text.slice(start)];
}

function unquote(text: string): string {
  return text.length >= 2 && text.startsWith('"') && text.endsWith('"')
    ? text.slice(1, -1).replace(/\\(.)/g, '$1')
    : text;
}
