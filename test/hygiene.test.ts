/** What must be true of every file of the project. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const NOT_OURS = new Set(['node_modules', 'dist', '.git', '.cache', 'coverage', 'tmp']);
const BINARY = /\.(?:png|gz|ico|jpg|woff2)$/;

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (NOT_OURS.has(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : entry.isFile() && !BINARY.test(entry.name) ? [path] : [];
  });
}

const files = filesBelow(ROOT).map((path) => ({
  path: relative(ROOT, path).split(sep).join('/'),
  text: readFileSync(path, 'utf8'),
}));

function linesWith(pattern: RegExp, filter: (path: string) => boolean = () => true): string[] {
  return files
    .filter(({ path }) => filter(path))
    .flatMap(({ path, text }) =>
      text
        .split('\n')
        .flatMap((line, i) => (pattern.test(line) ? [`${path}:${i + 1}: ${line.trim().slice(0, 120)}`] : [])),
    );
}

describe('the project', () => {
  it('is looked at as a whole', () => {
    const paths = files.map(({ path }) => path);
    for (const path of ['package.json', 'src/main.ts', 'test/hygiene.test.ts', '.ci/run', 'Dockerfile']) {
      expect(paths).toContain(path);
    }
  });

  it('names no folder of the machine it was written on', () => {
    const folders = ['work', 'root', 'Users'].join('|');
    expect(linesWith(new RegExp(`(?<![\\w.$})-])/(?:${folders})/`))).toEqual([]);
  });

  it('takes its packages from wherever npm is told to', () => {
    const lock = JSON.parse(files.find(({ path }) => path === 'package-lock.json')?.text ?? '{}') as {
      packages: Record<string, { resolved?: string; integrity?: string }>;
    };
    const packages = Object.entries(lock.packages).filter(([path]) => path !== '');
    expect(packages.length).toBeGreaterThan(100);
    const foreign = packages.filter(
      ([, { resolved }]) => resolved && !resolved.startsWith('https://registry.npmjs.org/'),
    );
    expect(foreign.map(([path]) => path)).toEqual([]);
    expect(packages.filter(([, { integrity }]) => integrity === undefined).map(([path]) => path)).toEqual([]);
  });

  it('leaves no test out', () => {
    const leftOut = new RegExp(`\\b(?:it|test|describe)(?:\\.\\w+)*\\.(?:${['only', 'skip', 'todo'].join('|')})\\b`);
    expect(linesWith(leftOut, (path) => path.startsWith('test/'))).toEqual([]);
  });

  it('has no unfinished places', () => {
    const words = [`TO${'DO'}`, `FIX${'ME'}`, `X${'XX'}`];
    const mark = new RegExp(`\\b(?:${words.join('|')})\\b`);
    expect(linesWith(mark)).toEqual([]);
  });

  it('ends every text file with one newline', () => {
    const wrong = files.filter(({ text }) => text !== '' && (!text.endsWith('\n') || text.endsWith('\n\n')));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });
});
