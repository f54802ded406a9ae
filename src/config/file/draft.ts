/** A configuration on its way: file and flags laid over each other, and the problems found so far with their places. */
import type { z } from 'zod';
import { type Prefix, parsePrefix } from '../../bgp/prefix.ts';
import { type ApiKeys, type KeyEntry, keysOfEnvironment, resolvePath, shownPath } from '../api-keys.ts';
import { CONFIG_FLAGS, type FlagValues } from '../flags.ts';
import { MAX_RPKI_SOURCES, rtrAddress } from '../rpki/rpki-source.ts';
import { SOURCE_NAMES, type SourceName } from '../source-names.ts';
import { apiKey, type IssueStyle, unknownKey } from '../values.ts';
import { ConfigDocument, formatPath, type Path, type Place } from './document.ts';
import { nearList } from './near-list.ts';
import type { Environment } from './substitution.ts';

interface Problem {
  /** Undefined for a problem that is not in the file; those come last. */
  readonly place: Place | undefined;
  readonly text: string;
}

type Section = Readonly<Record<string, unknown>>;

const NO_PREFIX = 'no prefix: give --prefix or BGP_PREFIXES, or prefixes in a configuration file (--config.file)';

/** Longest text of a wrong value in a message, in characters. */
const MAX_SHOWN = 80;

export class Draft {
  #value: unknown;
  readonly #file: string | undefined;
  readonly #document: ConfigDocument;
  readonly #problems: Problem[] = [];
  /** Paths that a flag or a variable of the environment has set, with its name. */
  readonly #flagByPath = new Map<string, string>();
  /** Paths with a problem: what follows from it is not said again. */
  readonly #faulty = new Set<string>();

  /** `text` is the content of the file, empty without one; `env` as ConfigDocument takes it. */
  constructor(file: string | undefined, text: string, env: Environment | 'yaml-1.1') {
    this.#file = file;
    this.#document = new ConfigDocument(text, env);
    this.#value = this.#document.value ?? {};
    for (const { path, place, message } of this.#document.problems) this.#add(path, message, place);
  }

  /** False: the file is not YAML, so nothing else can be said about it. */
  get readable(): boolean {
    return !this.#faulty.has('');
  }

  get value(): unknown {
    return this.#value;
  }

  /** All problems in the order of the file, then those of flags and environment. */
  problems(): string[] {
    const inOrder = this.#problems.toSorted(
      (a, b) =>
        (a.place?.line ?? Number.POSITIVE_INFINITY) - (b.place?.line ?? Number.POSITIVE_INFINITY) ||
        (a.place?.column ?? 0) - (b.place?.column ?? 0),
    );
    return [...new Set(inOrder.map(({ text }) => text))];
  }

  applyFlags(flags: FlagValues): void {
    for (const { name, key, repeatable } of CONFIG_FLAGS) {
      const given = flags[name];
      if (given === undefined) continue;
      if (key !== undefined) {
        this.#set(key, repeatable && !Array.isArray(given) ? [given] : given, `--${name}`);
        if (name === 'bgproutes.api-key-file') this.#set(['bgproutes', 'api_keys'], undefined, `--${name}`);
      } else if (name === 'source') {
        this.#setAll('sources', Array.isArray(given) ? given : [given], '--source');
      } else if (name === 'prefix') {
        this.#addPrefixes(Array.isArray(given) ? given : [given], '--prefix');
      }
    }
  }

  /** Prefixes of BGP_PREFIXES, by commas or blanks; added like those of flags. */
  applyEnvironment({ BGP_PREFIXES: list = '' }: Environment): void {
    this.#addPrefixes(
      list.split(/[\s,]+/).filter((text) => text !== ''),
      'BGP_PREFIXES',
    );
  }

  /** A problem of the value at a path, or of the whole section that it names. */
  addProblem(path: Path, message: string): void {
    this.#add(path, message);
  }

  /** Takes over what the schema found. */
  addIssues(issues: readonly z.core.$ZodIssue[]): void {
    for (const issue of issues) {
      const path = issue.path.filter((step) => typeof step !== 'symbol');
      if (issue.code === 'unrecognized_keys') {
        for (const key of issue.keys) {
          this.#add([...path, key], unknownKey(key, issue.message), this.#document.keyPlace(path, key));
        }
        continue;
      }
      const { got, hint }: IssueStyle =
        issue.code === 'custom' ? styleOf(issue.params) : { got: 'kind', hint: this.#nearList(path, issue) };
      const shown = got === 'none' ? '' : `, got ${this.#got(path, got === 'kind')}`;
      this.#add(path, `${issue.message}${shown}${hint === undefined ? '' : got === 'none' ? '' : ` (${hint})`}`);
    }
  }

  /** Finds problems of the sources of validated data: none, too many, or one with no place or two places. */
  checkRpki(): void {
    if (!isSection(this.#value) || this.#value.rpki === undefined) return;
    const entries = this.#list('rpki', 'sources');
    if (entries === undefined) return;
    const path = ['rpki', 'sources'];
    if (entries.length === 0) this.#add(path, 'expected at least one source, got none (leave rpki out for none)');
    if (entries.length > MAX_RPKI_SOURCES)
      this.#add(path, `expected at most ${MAX_RPKI_SOURCES} sources, got ${entries.length}`);
    for (const [i, entry] of entries.entries()) {
      if (!isSection(entry)) continue;
      const { url } = entry;
      if (typeof url === 'string' && /^rtrs?:/i.test(url) && rtrAddress(url) === undefined)
        this.#add([...path, i, 'url'], 'expected a host, such as rtr://validator:8282');
      const places = ['url', 'file'].filter((key) => entry[key] !== undefined);
      if (places.length !== 1)
        this.#add([...path, i], `expected either url or file, got ${places.length === 0 ? 'none' : 'both'}`);
    }
  }

  /** Finds problems of the prefixes: none, too many, or one of them twice. */
  checkPrefixes(max: number): void {
    const entries = this.#list('prefixes');
    if (entries === undefined) return;
    if (entries.length === 0) {
      if (this.#file !== undefined) {
        this.#add(['prefixes'], 'expected at least one prefix, here or by --prefix, got none');
      } else {
        this.#problems.push({ place: undefined, text: NO_PREFIX });
        this.#faulty.add('prefixes');
      }
    }
    if (entries.length > max) this.#add(['prefixes'], `expected at most ${max} prefixes, got ${entries.length}`);
    const firstByText = new Map<string, number>();
    for (const [i, entry] of entries.slice(0, max).entries()) {
      const text = isSection(entry) ? entry.prefix : undefined;
      const prefix: Prefix | undefined = typeof text === 'string' ? parsePrefix(text) : undefined;
      if (prefix === undefined || prefix.hadHostBits) continue;
      const first = firstByText.get(prefix.text);
      if (first === undefined) {
        firstByText.set(prefix.text, i);
        continue;
      }
      const path = ['prefixes', i, 'prefix'];
      const firstPath = ['prefixes', first, 'prefix'];
      const { prefix: former } = entries[first] as Section;
      // Two entries of one list have the same place: only the spelling tells which one is meant.
      const said =
        this.#flagOf(firstPath) === undefined || this.#flagOf(firstPath) !== this.#flagOf(path)
          ? `is the same prefix as that of ${this.#where(firstPath)}`
          : `is given twice${former === text ? '' : `, first as ${former}`}`;
      this.#add(path, `${text} ${said}`);
    }
  }

  /** The sources, distinct; bgproutes where none is given. */
  checkSources(): readonly SourceName[] {
    const given = this.#list('sources') ?? [];
    for (const [i, name] of given.entries())
      if (given.indexOf(name) < i) this.#add(['sources', i], `${String(name)} is given twice`);
    const known = SOURCE_NAMES.filter((name) => given.includes(name));
    // It is not known whether the source that was meant needs a key: only the wrong name is reported.
    const isWrong = [...this.#faulty].some((path) => /^sources\b/.test(path));
    return known.length === 0 && !isWrong ? ['bgproutes'] : known.sort((a, b) => given.indexOf(a) - given.indexOf(b));
  }

  /** The keys of flag or file; else of the environment. Those with a problem are left out. */
  keyEntries(env: Environment): readonly KeyEntry[] {
    const entries: KeyEntry[] = [];
    const lists = [this.#list('bgproutes', 'api_keys'), this.#list('bgproutes', 'api_key_files')] as const;
    for (const [kind, name, items] of [
      ['key', 'api_keys', lists[0]],
      ['file', 'api_key_files', lists[1]],
    ] as const) {
      for (const [i, item] of items?.entries() ?? []) {
        const path = ['bgproutes', name, i];
        if (typeof item !== 'string' || item === '' || this.#faulty.has(formatPath(path))) continue;
        const read = kind === 'file' ? this.resolvePath(path, item) : apiKey.safeParse(item).data;
        if (read === undefined) continue;
        const shown = kind === 'file' ? shownPath(item, read) : undefined;
        entries.push({ place: this.#where(path), kind, value: read, shown });
      }
    }
    if (lists.some((items) => items === undefined || items.length > 0)) return entries;
    const fromEnvironment = keysOfEnvironment(env);
    if (!('problem' in fromEnvironment)) return fromEnvironment;
    this.#problems.push({ place: undefined, text: fromEnvironment.problem });
    this.#faulty.add('bgproutes.api_keys');
    return [];
  }

  /** Checks that there are enough keys for the prefixes; only when every key could be read. */
  checkKeys({ keys, problems }: ApiKeys, sources: readonly SourceName[], env: Environment): void {
    for (const text of problems) this.#problems.push({ place: undefined, text });
    // The other sources carry every prefix.
    if (sources.some((name) => name !== 'bgproutes')) return;
    const parts = /^(?:prefixes|bgproutes|bgproutes\.(?:api_key.*|prefixes_per_key|canary_prefix))$/;
    const broken = [...this.#faulty].some((path) => parts.test(path));
    const prefixes = this.#list('prefixes');
    if (problems.length > 0 || broken || prefixes === undefined || prefixes.length === 0) return;
    const section = this.#section('bgproutes');
    const perKey = section?.prefixes_per_key === undefined ? 10 : Number(section.prefixes_per_key);
    const canary = typeof section?.canary_prefix === 'string' ? parsePrefix(section.canary_prefix) : undefined;
    const texts = prefixes.map((entry) => (isSection(entry) ? entry.prefix : undefined));
    const monitored = texts.flatMap((text) => (typeof text === 'string' ? (parsePrefix(text)?.text ?? []) : []));
    const needed = keysNeeded(monitored, perKey, canary?.text);
    if (needed <= keys.length) return;
    if (!Number.isFinite(needed)) {
      const message = 'a key that carries one prefix has no room for another one beside the canary';
      this.#add(['bgproutes', 'canary_prefix'], message);
      return;
    }
    const share = `${perKey} a key${canary === undefined ? '' : ', one of them the canary'}`;
    const text = `${monitored.length} prefixes need ${needed} keys (${share}), got ${keys.length}`;
    this.#problems.push({ place: undefined, text: `${this.#placeOfKeys(env)}: ${text}` });
  }

  /** The flag, the place in the file or the variable that the keys come from. */
  #placeOfKeys({ BGP_API_KEY: key }: Environment): string {
    const given = ['api_keys', 'api_key_files'].find((name) => (this.#list('bgproutes', name)?.length ?? 0) > 0);
    if (given !== undefined) return this.#where(['bgproutes', given]);
    return key ? 'BGP_API_KEY' : 'BGP_API_KEY_FILE';
  }

  /** The flag that set a value, or its key. */
  nameOf(path: Path): string {
    return this.#flagOf(path) ?? formatPath(path);
  }

  /** A path of the file starts at the file's folder, one of a flag at the working directory. */
  resolvePath(path: Path, name: string): string {
    return this.#file === undefined || this.#flagOf(path) !== undefined ? name : resolvePath(this.#file, name);
  }

  #add(path: Path, message: string, place?: Place): void {
    const key = formatPath(path);
    // The first problem of a value is the cause of others.
    if (this.#faulty.has(key)) return;
    this.#faulty.add(key);
    const at = this.#flagOf(path) === undefined ? (place ?? this.#document.place(path)) : undefined;
    this.#problems.push({ place: at, text: `${this.#where(path, at)}: ${message}` });
  }

  /** `bgp.yml:3:5: prefixes[0].prefix`, or the flag, or without a file just the key. */
  #where(path: Path, place: Place | undefined = this.#document.place(path)): string {
    const flag = this.#flagOf(path);
    if (flag !== undefined) return flag;
    const key = formatPath(path);
    if (this.#file === undefined) return key;
    const file = place === undefined ? this.#file : `${this.#file}:${place.line}:${place.column}`;
    return key === '' ? file : `${file}: ${key}`;
  }

  #flagOf(path: Path): string | undefined {
    for (let length = path.length; length > 0; length--) {
      const flag = this.#flagByPath.get(formatPath(path.slice(0, length)));
      if (flag !== undefined) return flag;
    }
    return undefined;
  }

  #set([section, name]: readonly [string, string], value: unknown, flag: string): void {
    const former = this.#section(section);
    // A section of the wrong kind is reported by the schema.
    if (former === undefined || !isSection(this.#value)) return;
    this.#value = { ...this.#value, [section]: { ...former, [name]: value } };
    this.#flagByPath.set(formatPath([section, name]), flag);
  }

  #setAll(section: string, value: unknown, flag: string): void {
    if (!isSection(this.#value)) return;
    this.#value = { ...this.#value, [section]: value };
    this.#flagByPath.set(section, flag);
  }

  #addPrefixes(texts: readonly unknown[], from: string): void {
    const former = this.#list('prefixes');
    if (former === undefined || !isSection(this.#value)) return;
    for (const i of texts.keys()) this.#flagByPath.set(formatPath(['prefixes', former.length + i]), from);
    this.#value = { ...this.#value, prefixes: [...former, ...texts.map((prefix) => ({ prefix }))] };
  }

  /** A map of the file; an absent one is empty, and one of the wrong kind undefined. */
  #section(name: string): Section | undefined {
    const value = isSection(this.#value) ? (this.#value[name] ?? {}) : undefined;
    return isSection(value) ? value : undefined;
  }

  #list(...[section, name]: readonly [string, string] | readonly [string]): readonly unknown[] | undefined {
    const holder = name === undefined ? (isSection(this.#value) ? this.#value : undefined) : this.#section(section);
    const value = holder?.[name ?? section] ?? (holder === undefined ? undefined : []);
    return Array.isArray(value) ? value : undefined;
  }

  /** The text at a path, as it was written; only its kind where it may be a secret. */
  #nearList(path: Path, issue: z.core.$ZodIssue): string | undefined {
    return issue.code === 'invalid_type' ? nearList(path, issue.expected, this.#at(path)) : undefined;
  }

  #at(path: Path): unknown {
    let value: unknown = this.#value;
    for (const step of path) {
      value = Array.isArray(value) || isSection(value) ? (value as Record<string | number, unknown>)[step] : undefined;
    }
    return value;
  }

  #got(path: Path, kindOnly: boolean): string {
    const value = this.#at(path);
    if (kindOnly || value === undefined || value === null || typeof value === 'object') return kindOf(value);
    const written = this.#flagOf(path) === undefined ? this.#document.written(path) : undefined;
    const text = written ?? JSON.stringify(value);
    return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
  }
}

/**
 * How many keys carry the prefixes: each carries `perKey`, and with a canary each carries that one too. Infinite when the
 * canary leaves no room.
 */
export function keysNeeded(prefixes: readonly string[], perKey: number, canary: string | undefined): number {
  if (canary === undefined) return Math.ceil(prefixes.length / perKey);
  const others = prefixes.filter((prefix) => prefix !== canary).length;
  return others === 0 ? 1 : Math.ceil(others / (perKey - 1));
}

function styleOf(params: Record<string, unknown> | undefined): IssueStyle {
  return params as unknown as IssueStyle;
}

function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (value === '') return 'an empty text';
  return (
    { string: 'a text', number: 'a number', boolean: 'true or false', object: 'a map' }[typeof value as string] ??
    'something else'
  );
}
