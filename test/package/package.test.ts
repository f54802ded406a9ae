/** What `npm publish` would publish: built, packed, unpacked and used as somebody else would. */
import { execFile, execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { publint } from 'publint';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { API_REPORT, apiReport, buildInto } from '../../docs/generate-api-report.ts';
import { EMPTY_SCENARIO } from '../../src/simulator/scenario/scenario.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  /** All of them optional: loaded only when they are needed. */
  readonly peerDependencies: Readonly<Record<string, string>>;
}

let folder: string;
/** The unpacked package, in the node_modules of an otherwise empty project. */
let installed: string;
let project: string;
let tarball: string;
let manifest: Manifest;
let files: readonly string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'package-'));
  const source = join(folder, 'source');
  mkdirSync(source);
  for (const name of readdirSync(ROOT)) {
    // Everything that could be packed by mistake, but for what is too large to copy or never is.
    if (['node_modules', 'dist', '.git', '.cache', 'tmp', 'coverage'].includes(name)) continue;
    cpSync(join(ROOT, name), join(source, name), { recursive: true });
  }
  buildInto(source);
  // Scripts would build again.
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: source,
  });
  const [{ filename }] = JSON.parse(stdout) as { filename: string }[];
  tarball = join(folder, filename);
  project = join(folder, 'project');
  installed = join(project, 'node_modules', 'bgproutes-exporter');
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', installed]);
  manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Manifest;
  files = readdirSync(installed, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(installed, path)).isFile())
    .toSorted();
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The packages that it depends on, and Node's types, beside it. */
function linkDependencies(): void {
  for (const name of [...Object.keys(manifest.dependencies), '@types/node', 'undici-types']) {
    const target = join(project, 'node_modules', name);
    if (existsSync(target)) continue;
    mkdirSync(dirname(target), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), target);
  }
}

/** Module specifiers in a text of JavaScript or of declarations. */
function importsOf(path: string): string[] {
  return ts.preProcessFile(readFileSync(path, 'utf8'), true, true).importedFiles.map(({ fileName }) => fileName);
}

describe('the package', () => {
  it('contains what a user needs and no more', () => {
    const folders = new Set(files.map((path) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : path)));
    expect([...folders].toSorted()).toEqual([
      'CHANGELOG.md',
      'CONTRIBUTING.md',
      'LICENSE',
      'NOTICE',
      'README.md',
      'SECURITY.md',
      'alerts',
      'dashboards',
      'dist',
      'docs',
      'examples',
      'man',
      'package.json',
    ]);
    expect(files).toEqual(
      expect.arrayContaining([
        'alerts/bgproutes.rules.yml',
        'dashboards/generated/overview.json',
        'dashboards/provisioning/dashboards/bgproutes.yml',
        'dist/index.d.ts',
        'dist/index.js',
        'dist/main.js',
        'dist/runbook.html',
        'docs/library.md',
        'man/bgproutes-exporter.1',
      ]),
    );
    const kinds = new Set(files.map((path) => /(?:\.d\.ts|\.[a-z]+)?$/.exec(path)?.[0]));
    expect([...kinds].toSorted()).toEqual(['', '.d.ts', '.html', '.js', '.json', '.md', '.png', '.ts', '.yml']);
    expect(
      files.filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts') && !path.startsWith('examples/')),
    ).toEqual([]);
    expect(files.filter((path) => /\.test\.|(?:^|\/)test(?:s)?\//.test(path))).toEqual([]);
    // Two pictures are half of it.
    expect(statSync(tarball).size).toBeLessThan(1.25 * 1024 * 1024);
  });

  it('has no script that npm would ask whoever installs it to allow', () => {
    const { scripts } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
      scripts: Readonly<Record<string, string>>;
    };
    const asked = ['preinstall', 'install', 'postinstall', 'preprepare', 'prepare', 'postprepare'];
    expect(Object.keys(scripts).filter((name) => asked.includes(name))).toEqual([]);
    // A clone is built all the same, by npm ci and before it is packed.
    expect(scripts).toMatchObject({ prepublish: 'npm run build --silent', prepack: 'npm run build --silent' });
  });

  it('holds every file, folder and picture that its documents link to', () => {
    const documents = files.filter((path) => path.endsWith('.md'));
    const links = documents.flatMap((document) => {
      const text = readFileSync(join(installed, document), 'utf8').replace(/```.*?```/gs, '');
      const paths = [...text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map(([, path]) => path);
      return paths.filter((path) => !/^https?:/.test(path)).map((path) => ({ document, path }));
    });
    const missing = links.filter(({ document, path }) => !existsSync(join(installed, dirname(document), path)));
    expect(missing).toEqual([]);
    expect(links).toContainEqual({ document: 'README.md', path: 'docs/images/landing-page.png' });
  });

  it('has every module that one of its modules imports, and depends on all others', () => {
    const missing: string[] = [];
    const builtin = new Set([...builtinModules, ...builtinModules.map((name) => `node:${name}`)]);
    const known = new Set([...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }), ...builtin]);
    const used = new Set<string>();
    for (const path of files.filter((each) => each.endsWith('.js'))) {
      for (const specifier of importsOf(join(installed, path))) {
        if (specifier.startsWith('.')) {
          const target = relative(installed, join(installed, dirname(path), specifier));
          if (!files.includes(target)) missing.push(`${path} -> ${specifier}`);
          continue;
        }
        const name = specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/');
        used.add(name);
        if (!known.has(name) && !builtin.has(specifier)) missing.push(`${path} -> ${specifier}`);
      }
    }
    expect(missing).toEqual([]);
    expect(used.size).toBeGreaterThan(5);
  });

  it('has every declaration that its types need', () => {
    const seen = new Set<string>();
    const queue = ['dist/index.d.ts'];
    for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
      if (seen.has(path)) continue;
      seen.add(path);
      for (const specifier of importsOf(join(installed, path))) {
        if (specifier.startsWith('.')) queue.push(join(dirname(path), specifier.replace(/\.ts$/, '.d.ts')));
      }
    }
    expect([...seen].filter((path) => !files.includes(path))).toEqual([]);
    expect(seen.size).toBeGreaterThan(10);
    // How the exporter keeps its table and makes its metrics is nobody else's: programs compile none of it.
    const inner = /^dist\/(?:commands|feed|metrics|outputs|simulator|storage|table)\/|^dist\/(?:exporter|main)\.d\.ts$/;
    expect([...seen, ...files.filter((path) => path.endsWith('.d.ts'))].filter((path) => inner.test(path))).toEqual([]);
  });

  it('is as publint wants it', async () => {
    const { messages } = await publint({ pkgDir: installed, pack: false, strict: true });
    expect(messages).toEqual([]);
  });

  it('has types that are found as the code is (attw)', async () => {
    const bin = join(ROOT, 'node_modules', '@arethetypeswrong', 'cli', 'dist', 'index.js');
    const { stdout } = await run(process.execPath, [bin, tarball, '--profile', 'esm-only', '--format', 'json']);
    const { analysis, problems } = JSON.parse(stdout) as {
      analysis: { types: { kind: string } };
      problems?: Readonly<Record<string, unknown>>;
    };
    expect(analysis.types).toEqual({ kind: 'included' });
    // Node reads ES modules by require() too, since 20.19: see below.
    expect(Object.keys(problems ?? {}).filter((kind) => kind !== 'CJSResolvesToESM')).toEqual([]);
  });

  it('has the public API that docs/library.api.md lists', () => {
    // Stale? `npm run docs:api`, and look at what changed: a name less, or another type, breaks programs.
    expect(apiReport(join(folder, 'source'))).toBe(readFileSync(API_REPORT, 'utf8'));
  });
});

describe('somebody else', () => {
  const CONSUMER = `
    import {
      BgproutesLiveClient, type ClientEvent, DataApiError, formatMessage, type LiveMessage, loadConfig, embedExporter,
      PrefixToAPIKeyError, WebsocketConnectionError,
    } from 'bgproutes-exporter';

    const client: BgproutesLiveClient = new BgproutesLiveClient({ apiKey: 'k', reconnect: false, debugLevel: 1 });
    export async function main(signal: AbortSignal): Promise<void> {
      await client.subscribe(['192.0.2.0/24']);
      for await (const message of client.messages({ signal })) {
        const known: LiveMessage = message;
        // @ts-expect-error a withdrawal has no path
        message.asPath;
        if (message.type === 'announcement') console.log(message.asPathElements.length, message.vp.parent?.asn);
        const line: string = formatMessage(known, { style: 'v1' });
        console.log(line);
      }
      for await (const item of client.messages({ events: true })) {
        const known: LiveMessage | ClientEvent = item;
        if (item.type === 'disconnected') console.log(item.reason satisfies string, known);
      }
      try {
        const { vantagePoints } = await client.dataApi.vantagePoints({ sources: ['ris'] });
        for await (const { rows } of client.dataApi.rib({ vps: vantagePoints, prefixes: [], dateMs: 0 })) rows.at(0)?.asPath;
      } catch (error) {
        if (error instanceof DataApiError && error.code === 'RATE_LIMITED') console.log(error.status);
        if (error instanceof PrefixToAPIKeyError || error instanceof WebsocketConnectionError) console.log(error.serverText);
      }
      const exporter = await embedExporter(loadConfig({ env: process.env, flags: { prefix: ['192.0.2.0/24'] } }));
      console.log((await exporter.metrics()).contentType, exporter.prefixes()[0].visibleVps);
      // @ts-expect-error no such option
      client.messages({ event: true });
      await client.close();
    }
  `;

  it('can write a typed program with it, with every check of TypeScript on', async () => {
    linkDependencies();
    writeFileSync(join(project, 'package.json'), '{"type":"module","private":true}');
    writeFileSync(join(project, 'consumer.ts'), CONSUMER);
    const compilerOptions = {
      ...{ target: 'ES2023', module: 'NodeNext', moduleResolution: 'NodeNext', noEmit: true, types: ['node'] },
      ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false },
      ...{ lib: ['ES2023'], preserveSymlinks: true },
    };
    // The programs of the documentation too.
    const text = readFileSync(join(installed, 'docs', 'library.md'), 'utf8');
    const programs = [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, program]) => program);
    expect(programs.length).toBeGreaterThanOrEqual(4);
    const sources = programs.map((_, i) => `documented-${i}.ts`);
    for (const [i, program] of programs.entries()) writeFileSync(join(project, sources[i]), program);
    const tsconfig = { compilerOptions, files: ['consumer.ts', ...sources] };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(tsconfig));
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const result = await run(process.execPath, [tsc, '-p', project]).catch((error: { stdout: string }) => error);
    expect(result.stdout).toBe('');
  });

  it('compiles none of the types of the schema library, and so also as CommonJS with the old resolution', async () => {
    linkDependencies();
    writeFileSync(join(project, 'package.json'), '{"private":true}');
    writeFileSync(
      join(project, 'old.ts'),
      `import { loadConfig, type Config } from 'bgproutes-exporter';
      export const config: Config = loadConfig({ flags: {}, env: {} });`,
    );
    const compilerOptions = {
      ...{ target: 'ES2022', module: 'CommonJS', moduleResolution: 'node10', ignoreDeprecations: '5.0', noEmit: true },
      ...{ strict: true, skipLibCheck: false, esModuleInterop: false, preserveSymlinks: true, types: ['node'] },
      listFiles: true,
    };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['old.ts'] }));
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const result = await run(process.execPath, [tsc, '-p', project]).catch((error: { stdout: string }) => error);
    expect(result.stdout).not.toMatch(/error TS/);
    expect(result.stdout).toContain('/dist/config/config.d.ts');
    expect(result.stdout).not.toMatch(/node_modules\/zod\//);
  });

  it('can import it, and gets what the types promise', async () => {
    linkDependencies();
    const script = `
      import * as library from 'bgproutes-exporter';
      import manifest from 'bgproutes-exporter/package.json' with { type: 'json' };
      console.log(JSON.stringify([manifest.version, Object.keys(library).sort()]));`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: project });
    const [version, names] = JSON.parse(stdout) as [string, string[]];
    expect(version).toBe(manifest.version);
    const values = readFileSync(API_REPORT, 'utf8').matchAll(/^export (?:declare )?(?:class|const|function) (\w+)/gm);
    expect(names).toEqual([...values].map(([, name]) => name).toSorted());
    expect(names).toContain('BgproutesLiveClient');
  });

  it('can require() it', async () => {
    linkDependencies();
    const script = "console.log(typeof require('bgproutes-exporter').BgproutesLiveClient)";
    const { stdout } = await run(process.execPath, ['--input-type=commonjs', '-e', script], { cwd: project });
    expect(stdout).toBe('function\n');
  });

  it('can run its program', async () => {
    linkDependencies();
    const main = join(installed, 'dist', 'main.js');
    expect(readFileSync(main, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    const { stdout: version } = await run(process.execPath, [main, '--version'], { cwd: project });
    expect(version).toContain(`bgproutes-exporter, version ${manifest.version} `);

    const simulator = await startSimulator({ apiKeys: ['k'], scenario: EMPTY_SCENARIO });
    try {
      const vp = simulator.addVantagePoint({ protocol: 'bgp', asn: 3333, ip: '193.0.0.56' });
      const addresses = [
        `--bgproutes.websocket-url=${simulator.websocketUrl}`,
        `--bgproutes.live-manager-url=${simulator.url}`,
        `--bgproutes.data-api-url=${simulator.url}`,
      ];
      const { stdout } = await run(process.execPath, [main, 'vps', '--format=json', ...addresses], {
        cwd: project,
        env: { PATH: process.env.PATH, BGP_API_KEY: 'k' },
      });
      expect(JSON.parse(stdout)).toMatchObject([{ vp: { asn: vp.asn, ip: vp.ip } }]);
    } finally {
      await simulator.stop();
    }
  });
});
