/** Reads the parameters of the Data API strictly: a parameter that the simulator does not support is refused, never ignored. */
import { type Afi, containsPrefix, type Prefix, parsePrefix } from '../../../bgp/prefix.ts';

/** A request that cannot be answered: the status and the text of `{"detail": …}`. */
export class QueryError extends Error {
  readonly status: number;

  constructor(detail: string, status = 400) {
    super(detail);
    this.status = status;
  }
}

/** Name to text. POST bodies may hold arrays and other JSON values: these become the text that a GET would have. */
export type Parameters = ReadonlyMap<string, string>;

export function parametersOfUrl(url: URL): Parameters {
  return new Map(url.searchParams);
}

export function parametersOfBody(body: string): Parameters {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new QueryError('The body is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new QueryError('The body is not a JSON object');
  }
  const parameters = new Map<string, string>();
  for (const [name, item] of Object.entries(value)) {
    if (item === null) continue;
    parameters.set(name, Array.isArray(item) ? item.join(',') : String(item));
  }
  return parameters;
}

/** Parameters that the service knows and the simulator takes only with the value that changes nothing. */
const ONLY_AS_DEFAULT: ReadonlyMap<string, string> = new Map([
  ['aspath_negative_regexp', 'false'],
  ['community_negative_regexp', 'false'],
  ['with_as_set', 'true'],
  ['raise_error_bogus_vp', 'false'],
  ['return_status_history', 'false'],
  ['return_rib_history', 'false'],
  ['return_uptime_intervals', 'false'],
  ['rib_status', 'false'],
]);

/** Parameters that the service's own clients always send, and that change nothing of what the simulator answers. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set(['return_rib_status', 'return_metadata']);

/** Refuses what is not in `known`, so that a mistyped name does not pass for an answer. */
export function checkNames(parameters: Parameters, known: ReadonlySet<string>): void {
  for (const [name, value] of parameters) {
    if (known.has(name) || ONLY_AS_DEFAULT.get(name) === value.toLowerCase()) continue;
    if (WITHOUT_EFFECT.has(name) && /^(?:true|false)$/i.test(value)) continue;
    throw new QueryError(`Parameter not supported by the simulator: ${name.slice(0, 60)}`);
  }
}

export function list(parameters: Parameters, name: string): string[] {
  const text = parameters.get(name);
  return text === undefined || text === '' ? [] : text.split(',').map((part) => part.trim());
}

export function ids(parameters: Parameters, name: string): number[] {
  return list(parameters, name).map((text) => {
    if (!/^[0-9]{1,9}$/.test(text)) throw new QueryError(`${name}: expected numbers, got ${JSON.stringify(text)}`);
    return Number(text);
  });
}

/** Python writes `True` and `False`. */
export function flag(parameters: Parameters, name: string, fallback: boolean): boolean {
  const text = parameters.get(name)?.toLowerCase();
  if (text === undefined) return fallback;
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw new QueryError(`${name}: expected true or false`);
}

export function count(parameters: Parameters, name: string): number | undefined {
  const text = parameters.get(name);
  if (text === undefined) return undefined;
  if (!/^[0-9]{1,9}$/.test(text)) throw new QueryError(`${name}: expected a whole number`);
  return Number(text);
}

const DATE = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})Z?$/;

/** `YYYY-MM-DDTHH:MM:SS`, UTC, or Unix seconds; as Unix microseconds. */
export function date(parameters: Parameters, name: string): number | undefined {
  const text = parameters.get(name);
  if (text === undefined) return undefined;
  if (/^[0-9]{9,11}(\.[0-9]{1,6})?$/.test(text)) return Math.round(Number(text) * 1_000_000);
  const match = DATE.exec(text);
  const ms = match === null ? Number.NaN : Date.parse(`${text.replace('Z', '')}Z`);
  if (Number.isNaN(ms))
    throw new QueryError(`${name}: expected YYYY-MM-DDTHH:MM:SS (UTC), got ${JSON.stringify(text.slice(0, 40))}`);
  return ms * 1000;
}

export function requiredDate(parameters: Parameters, name: string): number {
  const timeUs = date(parameters, name);
  if (timeUs === undefined) throw new QueryError(`${name} is required`);
  return timeUs;
}

/** `data_afi`: 4, 6 or both. */
export function families(parameters: Parameters): ReadonlySet<Afi> {
  const wanted = list(parameters, 'data_afi');
  for (const text of wanted) if (text !== '4' && text !== '6') throw new QueryError('data_afi: expected 4 or 6');
  if (wanted.length === 0) return new Set(['ipv4', 'ipv6']);
  return new Set(wanted.map((text) => (text === '4' ? 'ipv4' : 'ipv6')));
}

const FILTERS: Readonly<Record<string, (prefix: Prefix, operand: Prefix) => boolean>> = {
  '<<': (prefix, operand) => prefix.text !== operand.text && containsPrefix(operand, prefix),
  '<<=': (prefix, operand) => containsPrefix(operand, prefix),
  '>>': (prefix, operand) => prefix.text !== operand.text && containsPrefix(prefix, operand),
  '>>=': (prefix, operand) => containsPrefix(prefix, operand),
  '=': (prefix, operand) => prefix.text === operand.text,
};

export interface PrefixSelection {
  /** Canonical texts; empty: not restricted to certain prefixes. */
  readonly exact: ReadonlySet<string>;
  readonly hasFilter: boolean;
  matches(prefix: Prefix): boolean;
}

/** `prefix_exact_match`, `prefix_filter` and `data_afi`. Any of several filters suffices; with exact ones, both must hold. */
export function prefixSelection(parameters: Parameters): PrefixSelection {
  const parse = (name: string, text: string): Prefix => {
    const prefix = parsePrefix(text);
    if (prefix === undefined)
      throw new QueryError(`${name}: expected a prefix, got ${JSON.stringify(text.slice(0, 60))}`);
    return prefix;
  };
  const exact = new Set(list(parameters, 'prefix_exact_match').map((text) => parse('prefix_exact_match', text).text));
  const filters = list(parameters, 'prefix_filter').map((text) => {
    const [, operator, operand] = /^(<<=?|>>=?|=):(.+)$/.exec(text) ?? [];
    if (operator === undefined)
      throw new QueryError(`prefix_filter: expected op:prefix, got ${JSON.stringify(text.slice(0, 60))}`);
    const prefix = parse('prefix_filter', operand);
    return (candidate: Prefix) => FILTERS[operator](candidate, prefix);
  });
  const wantedFamilies = families(parameters);
  return {
    exact,
    hasFilter: filters.length > 0,
    matches: (prefix) =>
      wantedFamilies.has(prefix.afi) &&
      (exact.size === 0 || exact.has(prefix.text)) &&
      (filters.length === 0 || filters.some((filter) => filter(prefix))),
  };
}

const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '=': (a, b) => a === b,
};

/** `op,value`, for example `>,900000`. */
export function comparison(parameters: Parameters, name: string): (value: number) => boolean {
  const text = parameters.get(name);
  if (text === undefined) return () => true;
  const [, operator, operand] = /^(<=?|>=?|=),([0-9]{1,9})$/.exec(text) ?? [];
  if (operator === undefined) throw new QueryError(`${name}: expected op,value such as >,900000`);
  return (value) => COMPARISONS[operator](value, Number(operand));
}
