/** The arrows of the design: which part of the program may know which. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

/** Parts without knowledge of BGP, metrics or I/O that are worth forbidding; anyone may import them. */
const COMMON = ['defaults.ts', 'errors', 'errors.ts', 'in-turns.ts', 'input', 'logger.ts', 'secrets', 'version.ts'];

interface Rule {
  /** Other parts of src that it may import, COMMON aside. */
  readonly may: readonly string[];
  /** Packages and node: modules that it may import; `any`: all. */
  readonly packages: readonly string[] | 'any';
}

/** A part is a folder of src with all below it, or a file of src itself. Every part has a rule. */
const RULES: Readonly<Record<string, Rule>> = {
  bgp: { may: [], packages: [] },
  table: { may: ['bgp'], packages: ['node:zlib'] }, // crc32 only, see below
  metrics: { may: ['table', 'stream', 'rpki', 'names', 'bgp'], packages: [] },
  // The past of the prefixes, seen from the table's totals. Pure: time is an argument.
  history: { may: ['table', 'bgp'], packages: [] },
  stream: { may: ['bgp', 'http'], packages: 'any' },
  // One client for all services and collectors.
  http: { may: [], packages: 'any' },
  bgproutes: { may: ['stream', 'http', 'bgp'], packages: 'any' },
  'ris-live': { may: ['stream', 'http', 'bgp'], packages: 'any' },
  kafka: { may: ['stream', 'http', 'bgp'], packages: 'any' },
  // Prefixes shared by several exporters through Kafka.
  fleet: { may: ['kafka', 'feed', 'metrics', 'stream', 'table', 'bgp'], packages: 'any' },
  // Where streams meet the table. It knows no service, only the contract of stream/.
  feed: { may: ['stream', 'metrics', 'table', 'bgp'], packages: ['node:timers/promises'] },
  // Verdicts are pure; only the readers of validated data reach outside.
  rpki: { may: ['stream', 'http', 'bgp'], packages: 'any' },
  // A file of names; the parser is pure.
  names: { may: ['stream', 'bgp'], packages: 'any' },
  storage: { may: ['table', 'history', 'bgp'], packages: 'any' },
  outputs: { may: ['metrics', 'history', 'table', 'rpki', 'names', 'bgp', 'config', 'http'], packages: 'any' },
  // Of the table it knows the bounds alone, and of the RPKI what a source is, see below.
  config: { may: ['bgp', 'table', 'rpki'], packages: ['node:fs', 'node:net', 'node:path', 'node:tls', 'yaml', 'zod'] },
  // A stand-in that shares no decoding code with what it stands in for is able to prove it wrong.
  simulator: { may: ['bgp'], packages: 'any' },
  // A word of the exporter's that the library has too, without what the exporter knows.
  'readiness.ts': { may: [], packages: [] },
  // Parts of the map that stand in files of their own.
  exporter: {
    may: [
      'readiness.ts',
      'config',
      'bgproutes',
      'ris-live',
      'kafka',
      'fleet',
      'stream',
      'feed',
      'http',
      'storage',
      'outputs',
      'history',
      'metrics',
      'table',
      'rpki',
      'names',
      'bgp',
    ],
    packages: ['prom-client'],
  },
  'exporter.ts': {
    may: [
      'exporter',
      'fleet',
      'readiness.ts',
      'http',
      'config',
      'stream',
      'storage',
      'outputs',
      'history',
      'metrics',
      'table',
      'rpki',
      'names',
      'bgp',
    ],
    packages: [],
  },
  // The map of the other long-running command.
  'ingest.ts': {
    may: [
      'exporter',
      'bgproutes',
      'fleet',
      'readiness.ts',
      'http',
      'config',
      'stream',
      'feed',
      'metrics',
      'table',
      'bgp',
    ],
    packages: [],
  },
  commands: {
    may: [
      'exporter.ts',
      'ingest.ts',
      'config',
      'metrics',
      'simulator',
      'bgproutes',
      'ris-live',
      'fleet',
      'rpki',
      'names',
      'http',
      'stream',
      'table',
      'bgp',
    ],
    packages: 'any',
  },
  'command-line.ts': { may: ['commands'], packages: [] },
  // Signals are handled before anything else is loaded.
  'main.ts': { may: ['command-line.ts'], packages: [] },
  // The exporter as a library: hides what its table is made of.
  'embedding.ts': { may: ['exporter.ts', 'readiness.ts', 'config', 'outputs', 'metrics', 'table'], packages: [] },
  // The package's root: what others import.
  'index.ts': {
    may: ['embedding.ts', 'readiness.ts', 'bgproutes', 'ris-live', 'rpki', 'stream', 'config', 'bgp'],
    packages: [],
  },
};

interface SourceFile {
  /** Relative to src, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const files: readonly SourceFile[] = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  // AssemblyScript and its compiler are no part of the program.
  .filter((path) => path.endsWith('.ts') && !path.includes('assembly'))
  .map((path) => {
    const text = readFileSync(join(SRC, path), 'utf8');
    return { path: path.split(sep).join('/'), text, imports: importsOf(text) };
  });

function partOf(path: string): string {
  return path.split('/')[0];
}

/** The path in src that a relative import leads to. */
function target(from: string, specifier: string): string {
  return relative(SRC, join(SRC, dirname(from), specifier))
    .split(sep)
    .join('/');
}

describe('imports', () => {
  it('are found, static, dynamic and of types', () => {
    const found = new Map(files.map(({ path, imports }) => [path, imports]));
    expect(found.get('command-line.ts')).toContain('./commands/run/serve.ts');
    expect(found.get('metrics/metric.ts')).toBeDefined();
    expect(found.get('config/config.ts')).toContain('../bgp/prefix.ts');
  });

  it('are none at the start of the process: what is loaded before signals are handled loses them', () => {
    const main = files.find(({ path }) => path === 'main.ts');
    expect(main?.text).not.toMatch(/^(?:import|export) /m);
    expect(main?.text.indexOf('process.on(')).toBeLessThan(main?.text.indexOf('import(') ?? 0);
  });

  it('every part of src has a rule', () => {
    const parts = new Set(files.map(({ path }) => partOf(path)).filter((part) => !COMMON.includes(part)));
    expect([...parts].filter((part) => RULES[part] === undefined)).toEqual([]);
  });

  it('point one way', () => {
    const wrong: string[] = [];
    for (const { path, imports } of files) {
      const part = partOf(path);
      const allowed = COMMON.includes(part) ? [] : (RULES[part]?.may ?? []);
      for (const specifier of imports.filter((each) => each.startsWith('.'))) {
        const other = partOf(target(path, specifier));
        if (other !== part && !COMMON.includes(other) && !allowed.includes(other))
          wrong.push(`${path} -> ${specifier}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('of the table and the RPKI into the configuration are bounds and the type of a source alone', () => {
    const targets = files
      .filter(({ path }) => partOf(path) === 'config')
      .flatMap(({ path, imports }) =>
        imports.map((each) => target(path, each)).filter((to) => ['table', 'rpki'].includes(partOf(to))),
      );
    expect([...new Set(targets)].sort()).toEqual(['rpki/source-config.ts', 'table/bounds.ts']);
  });

  it('of packages are those that the part may use', () => {
    const wrong: string[] = [];
    for (const { path, imports } of files) {
      const { packages = 'any' } = RULES[partOf(path)] ?? {};
      for (const specifier of imports.filter((each) => !each.startsWith('.'))) {
        if (packages !== 'any' && !packages.includes(specifier)) wrong.push(`${path} -> ${specifier}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('are written with the extension, and lead to a file of src', () => {
    const known = new Set(files.map(({ path }) => path));
    const wrong = files.flatMap(({ path, imports }) =>
      imports
        .filter((each) => each.startsWith('.') && !known.has(target(path, each)))
        .map((each) => `${path} -> ${each}`),
    );
    expect(wrong).toEqual([]);
  });

  it('go round in no circle, nor do those of types', () => {
    const graph = new Map(files.map(({ path, imports }) => [path, imports.map((each) => target(path, each))]));
    expect(circlesOf(graph)).toEqual([]);
  });

  it('would be caught in a circle of types', () => {
    const graph = new Map([
      ['a.ts', importsOf("import type { B } from 'b.ts';")],
      ['b.ts', importsOf("import { a } from 'a.ts';")],
    ]);
    expect(circlesOf(graph)).toEqual(['a.ts -> b.ts -> a.ts']);
  });
});

describe('a folder', () => {
  it('has at most 12 files; what belongs together has a folder below it', () => {
    const counts = new Map<string, number>();
    for (const { path } of files) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
    expect([...counts].filter(([, count]) => count > 12)).toEqual([]);
    expect(counts.size).toBeGreaterThan(50);
  });
});

describe('a file', () => {
  it('has at most 400 lines; a longer one is split by the nouns it speaks of', () => {
    const long = files.filter(({ text }) => text.split('\n').length - 1 > 400).map(({ path }) => path);
    expect(long).toEqual([]);
  });
});

describe('the core', () => {
  const core = files.filter(({ path }) => ['bgp', 'table', 'history', 'metrics'].includes(partOf(path)));

  it('takes time and randomness as arguments, and touches nothing outside', () => {
    const wrong = core.flatMap(({ path, text }) => impureUses(text).map((use) => `${path}: ${use}`));
    expect(wrong).toEqual([]);
  });

  it.each([
    ['Date.now()', 'Date.now'],
    ['const f = Math.random;', 'Math.random'],
    ['new Date()', 'new Date()'],
    ['process.env', 'process'],
    ['const { memoryUsage } = process;', 'process'],
    ['setTimeout(() => {}, 1)', 'setTimeout'],
    ['globalThis.fetch("x")', 'globalThis'],
  ])('would be caught with %s', (text, use) => {
    expect(impureUses(text)).toEqual([use]);
  });

  it('may have the same words in texts and names', () => {
    expect(impureUses(`const help = 'process.cpu'; // Date.now()\nx.process; ({ process: 1 }); new Date(5)`)).toEqual(
      [],
    );
  });

  it('uses of node:zlib only the checksum', () => {
    const wrong = core.filter(
      ({ text }) => text.includes('node:zlib') && !/import \{ crc32 \} from 'node:zlib'/.test(text),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it('alone writes metric names: everybody else takes them from the catalogue', () => {
    const name = /^bgp[_.](?:prefix|table|stream|exporter|data_api|rpki)[_.][a-z_.]+$/;
    const wrong = files.flatMap(({ path, text }) =>
      partOf(path) === 'metrics'
        ? []
        : literals(text).flatMap((literal) => (name.test(literal) ? [`${path}: ${literal}`] : [])),
    );
    expect(wrong).toEqual([]);
    const catalogue = files.filter(({ path }) => path.startsWith('metrics/catalogue/'));
    const names = catalogue.flatMap(({ text }) => literals(text)).filter((literal) => name.test(literal));
    expect(names.length).toBeGreaterThan(40);
  });
});

/** What a text of TypeScript imports: static, dynamic and type-only imports, and re-exports. */
function importsOf(text: string): string[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
}

function circlesOf(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, chain: readonly string[]): void => {
    const at = chain.indexOf(path);
    if (at !== -1) circles.push([...chain.slice(at), path].join(' -> '));
    if (at !== -1 || done.has(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...chain, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return circles;
}

const GLOBALS = new Set([
  ...['process', 'performance', 'globalThis', 'global', 'console', 'fetch', 'crypto', 'require'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'],
]);

/** Uses of the clock, of chance and of the world in a text of TypeScript. */
function impureUses(text: string): string[] {
  const uses: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node)) {
      const access = node.getText();
      if (['Date.now', 'Math.random'].includes(access)) uses.push(access);
      visit(node.expression); // not the name: `x.process` is no global
      return;
    }
    if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && !node.arguments?.length)
      uses.push('new Date()');
    // A property or a parameter may have any name.
    const named = node.parent !== undefined && 'name' in node.parent && node.parent.name === node;
    if (ts.isIdentifier(node) && !named && GLOBALS.has(node.text)) uses.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('x.ts', text, ts.ScriptTarget.ESNext, true));
  return uses;
}

/** All texts in quotes. */
function literals(text: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) found.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('x.ts', text, ts.ScriptTarget.ESNext, true));
  return found;
}
