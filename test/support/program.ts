/** The program as a user starts it: a process of its own, from the sources as they are. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type TypeScript from 'typescript';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Builds of former sources are kept for this long, since another run may still use them. */
const KEEP_MS = 3_600_000;

/**
 * Gives `main.js`, with its types stripped: a loader that does it at every start would cost more than the start itself. It is
 * built once for a state of the sources, inside the project, where its packages are found. On a busy machine that takes
 * longer than a test may: `program-setup.ts` does it before the first test.
 */
export function buildProgram(): string {
  const paths = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.ts') && !path.includes('assembly'),
  );
  const sources = paths.toSorted().map((path) => ({ path, text: readFileSync(join(ROOT, 'src', path), 'utf8') }));
  const packageText = readFileSync(join(ROOT, 'package.json'), 'utf8');
  const runbook = ['build-runbook.js', 'docs/runbook.md'].map((path) => readFileSync(join(ROOT, path), 'utf8'));
  const hash = createHash('sha256')
    .update(JSON.stringify([packageText, runbook, sources]))
    .digest('hex')
    .slice(0, 16);
  const builds = join(ROOT, '.cache', 'program');
  const target = join(builds, hash);
  if (existsSync(target)) return join(target, 'dist', 'main.js');
  mkdirSync(builds, { recursive: true });
  for (const former of readdirSync(builds)) {
    const path = join(builds, former);
    if (Date.now() - statSync(path).mtimeMs > KEEP_MS) rmSync(path, { recursive: true, force: true });
  }
  const ts = createRequire(import.meta.url)('typescript') as typeof TypeScript;
  const folder = mkdtempSync(join(builds, 'new-'));
  writeFileSync(join(folder, 'package.json'), packageText);
  const compilerOptions: TypeScript.CompilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
    rewriteRelativeImportExtensions: true,
  };
  for (const { path, text } of sources) {
    const file = join(folder, 'dist', path.replace(/ts$/, 'js'));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, ts.transpileModule(text, { compilerOptions }).outputText);
  }
  execFileSync(process.execPath, [join(ROOT, 'build-runbook.js'), join(folder, 'dist', 'runbook.html')]);
  try {
    renameSync(folder, target);
  } catch {
    rmSync(folder, { recursive: true }); // another test file was faster
  }
  return join(target, 'dist', 'main.js');
}

let built: string | undefined;

export interface Program {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly exit: Promise<number | NodeJS.Signals>;
  /** Resolves with the match as soon as the output (both streams) has one; rejects when the program ends before. */
  seen(pattern: RegExp): Promise<RegExpExecArray>;
}

/** The environment is only what is given, and PATH. `log` and `stdout`: a file descriptor instead of the stream, then empty here. */
export function startProgram(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  log: number | 'pipe' = 'pipe',
  stdout: number | 'pipe' = 'pipe',
): Program {
  built ??= buildProgram();
  const child = spawn(process.execPath, [built, ...args], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', stdout, log],
  });
  let out = '';
  let err = '';
  const watchers = new Set<() => void>();
  child.stdout?.on('data', (chunk: Buffer) => {
    out += chunk.toString();
    for (const watch of watchers) watch();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    err += chunk.toString();
    for (const watch of watchers) watch();
  });
  const exit = new Promise<number | NodeJS.Signals>((resolve) =>
    child.on('close', (code, signal) => resolve(code ?? signal ?? 'SIGKILL')),
  );
  return {
    child,
    stdout: () => out,
    stderr: () => err,
    exit,
    seen: (pattern) =>
      new Promise((resolve, reject) => {
        const watch = () => {
          const match = pattern.exec(out) ?? pattern.exec(err);
          if (match === null) return;
          watchers.delete(watch);
          resolve(match);
        };
        watchers.add(watch);
        watch();
        void exit.then((code) => reject(new Error(`ended with ${code} before ${pattern}:\n${out}${err}`)));
      }),
  };
}
