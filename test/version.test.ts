/** What the program says of where it was built from. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { buildInfo } from '../src/version.ts';
import { buildProgram } from './support/program.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'revision-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The package as a build leaves it, as far as its version is concerned. */
function copyOfProgram(name: string): string {
  const place = join(folder, name);
  mkdirSync(join(place, 'dist'), { recursive: true });
  for (const file of ['build-revision.js', 'package.json']) copyFileSync(join(ROOT, file), join(place, file));
  copyFileSync(join(dirname(buildProgram()), 'version.js'), join(place, 'dist', 'version.js'));
  return place;
}

function git(place: string, ...args: readonly string[]): string {
  const identity = ['-c', 'user.name=a', '-c', 'user.email=a@example.net'];
  return execFileSync('git', [...identity, ...args], { cwd: place, encoding: 'utf8' }).trim();
}

async function revisionAfterBuild(place: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  execFileSync(process.execPath, ['build-revision.js'], { cwd: place });
  const url = new URL(`file://${place}/dist/version.js`);
  const module = (await import(url.href)) as { buildInfo: typeof buildInfo };
  return module.buildInfo(env).revision;
}

describe('the revision', () => {
  it('of a build in a clone is its commit, marked when files were changed', async () => {
    const place = copyOfProgram('clone');
    git(place, 'init', '-q');
    writeFileSync(join(place, '.gitignore'), 'dist\n');
    git(place, 'add', '.');
    git(place, 'commit', '-q', '-m', 'x');
    git(place, 'tag', '-a', 'v9', '-m', 'x'); // a commit says more than a tag that can be moved
    const commit = git(place, 'rev-parse', 'HEAD');
    expect(await revisionAfterBuild(place)).toBe(commit);
    expect(await revisionAfterBuild(place, { BGPROUTES_EXPORTER_REVISION: 'of-the-image' })).toBe('of-the-image');
    writeFileSync(join(place, 'package.json'), `${readFileSync(join(place, 'package.json'), 'utf8')}\n`);
    expect(await revisionAfterBuild(place)).toBe(`${commit}-dirty`);
  });

  it('of a build elsewhere is unknown, also inside the repository of somebody else', async () => {
    const place = copyOfProgram('outer/inner');
    expect(await revisionAfterBuild(place)).toBe('unknown');
    git(join(folder, 'outer'), 'init', '-q');
    git(join(folder, 'outer'), 'add', '.');
    git(join(folder, 'outer'), 'commit', '-q', '-m', 'x');
    expect(await revisionAfterBuild(place)).toBe('unknown');
  });
});
