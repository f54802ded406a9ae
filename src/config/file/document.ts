/** The configuration file as YAML: its plain value, and for every path where it stands and how it was written. */
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParsedNode,
  parseDocument,
  type Scalar,
  visit,
  type YAMLMap,
} from 'yaml';
import { type Environment, substitute } from './substitution.ts';
import { yamlFault } from './yaml-words.ts';

/** `['prefixes', 1, 'origins', 0]`. */
export type Path = readonly (string | number)[];

/** `prefixes[1].origins[0]`; a key that is not a plain word is quoted. */
export function formatPath(path: Path): string {
  return path
    .map((step, i) =>
      typeof step === 'number'
        ? `[${step}]`
        : `${i === 0 ? '' : '.'}${/^[\w-]+$/.test(step) ? step : JSON.stringify(step)}`,
    )
    .join('');
}

export interface Place {
  /** 1-based. */
  readonly line: number;
  readonly column: number;
}

export interface DocumentProblem {
  readonly path: Path;
  readonly place: Place | undefined;
  readonly message: string;
}

/** A text that YAML reads as a number and many people do not: `0x10`, `0o17`, `1e3`, `.5`, `+1`. It stays a text. */
const PLAIN_NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/;

/**
 * Nodes of the file with every alias replaced by what it stands for: a few aliases of aliases can stand for more than
 * there is memory. 10,000 prefixes that share one list of all origins and upstreams are below it.
 */
const MAX_NODES = 4_000_000;

export class ConfigDocument {
  /** Problems of the YAML itself and of variables; `value` is undefined when it could not be read at all. */
  readonly problems: readonly DocumentProblem[];
  /** Plain data: maps as objects, lists as arrays. An empty file is undefined. */
  readonly value: unknown;
  readonly #document: Document.Parsed;
  readonly #lines = new LineCounter();
  /** What an alias stands for: the last anchor of its name before it. The library looks through all of the file each time. */
  readonly #anchored = new Map<Alias, Node>();
  /** How a text was written before variables were put in. */
  readonly #written = new Map<Node, string>();

  /**
   * @param env variables for `${NAME}` in texts; `yaml-1.1`: the text is read as Go's YAML 1.1 does, `$` and numbers stay
   *   texts as they are written, and `yes` is true
   */
  constructor(text: string, env: Environment | 'yaml-1.1') {
    this.#document = parseDocument(text, {
      ...(env === 'yaml-1.1' ? { version: '1.1' } : {}),
      lineCounter: this.#lines,
      prettyErrors: false,
      stringKeys: true,
      uniqueKeys: false, // own check below: its message names the first one
      logLevel: 'error', // silent would also hide that there is a second document
    });
    const problems: DocumentProblem[] = [];
    for (const error of [...this.#document.errors, ...this.#document.warnings]) {
      const message = `not YAML: ${yamlFault(error.code, error.message)}`;
      problems.push({ path: [], place: this.#at(error.pos[0]), message });
    }
    if (problems.length === 0) problems.push(...this.#prepareScalars(env), ...this.#duplicateKeys());
    this.problems = problems;
    this.value = problems.every(({ path }) => path.length > 0) ? this.#toPlain(problems) : undefined;
  }

  /** Where the value of a path stands, or the nearest thing around it that is there; undefined in an empty file. */
  place(path: Path): Place | undefined {
    for (let length = path.length; length >= 0; length--) {
      const found = this.#find(path.slice(0, length));
      if (found?.range != null) return this.#at(found.range[0]);
    }
    return undefined;
  }

  /** Where a key of the map at a path stands. */
  keyPlace(path: Path, key: string): Place | undefined {
    const map = this.#resolve(this.#find(path));
    const pair = isMap(map) ? map.items.find((item) => keyText(item.key) === key) : undefined;
    return pair !== undefined && isNode(pair.key) && pair.key.range != null
      ? this.#at(pair.key.range[0])
      : this.place(path);
  }

  /** A single value as the file spells it: numbers by their digits, texts in quotes; undefined for lists and maps. */
  written(path: Path): string | undefined {
    const node = this.#resolve(this.#find(path));
    if (!isScalar(node)) return undefined;
    const before = this.#written.get(node);
    if (before !== undefined) return `${JSON.stringify(node.value)} (from ${JSON.stringify(before)})`;
    if (typeof node.value === 'string') return isNumberText(node) ? node.value : JSON.stringify(node.value);
    return node.source === undefined || node.source === '' ? undefined : node.source;
  }

  #at(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { line, column: col };
  }

  #resolve(node: Node | undefined): Node | undefined {
    return isAlias(node) ? this.#anchored.get(node) : node;
  }

  /** The node at a path, unresolved when it is an alias itself. */
  #find(path: Path): Node | undefined {
    let node: Node | undefined = this.#document.contents ?? undefined;
    for (const step of path) {
      const parent = this.#resolve(node);
      let next: unknown;
      if (isMap(parent)) next = parent.items.findLast((item) => keyText(item.key) === step)?.value;
      else if (isSeq(parent) && typeof step === 'number') next = parent.items[step];
      if (!isNode(next)) return undefined;
      node = next;
    }
    return node;
  }

  #duplicateKeys(): DocumentProblem[] {
    const problems: DocumentProblem[] = [];
    const walk = (node: unknown, path: Path): void => {
      if (isSeq(node)) {
        for (const [i, item] of node.items.entries()) walk(item, [...path, i]);
      } else if (isMap(node)) {
        const first = new Map<string, ParsedNode>();
        for (const { key, value } of (node as YAMLMap<ParsedNode, ParsedNode | null>).items) {
          const name = keyText(key);
          const earlier = first.get(name);
          if (earlier !== undefined) {
            const { line, column } = this.#at(earlier.range[0]);
            const place = this.#at(key.range[0]);
            problems.push({ path: [...path, name], place, message: `given twice, first at ${line}:${column}` });
          } else {
            first.set(name, key);
          }
          walk(value, [...path, name]);
        }
      }
    };
    walk(this.#document.contents, []);
    return problems;
  }

  /** Puts variables into texts, and keeps oddly written numbers as texts. */
  #prepareScalars(env: Environment | 'yaml-1.1'): DocumentProblem[] {
    const problems: DocumentProblem[] = [];
    const byAnchor = new Map<string, Node>();
    visit(this.#document, {
      Collection: (_, node) => {
        if (node.anchor !== undefined) byAnchor.set(node.anchor, node);
      },
      Alias: (_, node) => {
        const found = byAnchor.get(node.source);
        if (found !== undefined) {
          this.#anchored.set(node, found);
          return;
        }
        const place = node.range == null ? undefined : this.#at(node.range[0]);
        problems.push({
          path: [],
          place,
          message: 'not YAML: an alias without an anchor (quote a text that starts with *)',
        });
      },
      Scalar: (at, node, ancestors) => {
        if (node.anchor !== undefined) byAnchor.set(node.anchor, node);
        if (at === 'key') return;
        if (typeof node.value === 'number' && (env === 'yaml-1.1' || !PLAIN_NUMBER.test(node.source ?? '')))
          node.value = node.source;
        if (typeof node.value !== 'string' || env === 'yaml-1.1') return;
        const result = substitute(node.value, env);
        if ('problem' in result) {
          const place = node.range == null ? undefined : this.#at(node.range[0]);
          problems.push({ path: pathOf([...ancestors, node]), place, message: result.problem });
        } else if (result.changed) {
          this.#written.set(node, node.value);
          node.value = result.text;
        }
      },
    });
    return problems;
  }

  /** How many nodes the file has when every alias is one copy more of what it stands for. */
  #sizeWithCopies(): number {
    const sizes = new Map<Node, number>();
    const sizeOf = (node: unknown): number => {
      // An alias inside its own anchor has no size yet; it is not a copy, but the same node.
      if (isAlias(node)) return sizes.get(this.#anchored.get(node) ?? node) ?? 1;
      let size = 1;
      if (isSeq(node)) for (const item of node.items) size += sizeOf(item);
      if (isMap(node)) for (const { value } of node.items) size += 1 + sizeOf(value);
      if (isNode(node) && node.anchor !== undefined) sizes.set(node, size);
      return size;
    };
    return sizeOf(this.#document.contents);
  }

  #toPlain(problems: DocumentProblem[]): unknown {
    if (this.#sizeWithCopies() > MAX_NODES) {
      const message = `its aliases stand for more than ${MAX_NODES} values`;
      problems.push({ path: [], place: undefined, message });
      return undefined;
    }
    try {
      // The library's own limit would refuse a list that a hundred prefixes share.
      return this.#document.toJS({ maxAliasCount: -1 }) ?? undefined;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      problems.push({ path: [], place: undefined, message: `not YAML: ${message}` });
      return undefined;
    }
  }
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key);
}

/** Whether a text stands for a number that was oddly written, and so is shown without quotes. */
function isNumberText(node: Scalar): boolean {
  const { source } = node;
  return (
    node.type === 'PLAIN' &&
    source !== undefined &&
    source === node.value &&
    /^[+.]?[0-9]/.test(source) &&
    !Number.isNaN(Number(source))
  );
}

/** The path of the last of a chain of nodes, pairs and documents. */
function pathOf(chain: readonly unknown[]): Path {
  const path: (string | number)[] = [];
  for (let i = 0; i + 1 < chain.length; i++) {
    const outer = chain[i];
    const inner = chain[i + 1];
    if (isSeq(outer)) path.push(outer.items.indexOf(inner));
    else if (isMap(outer)) {
      const pair = outer.items.find((item) => item === inner);
      if (pair !== undefined) path.push(keyText(pair.key));
    }
  }
  return path;
}
