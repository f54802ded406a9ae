/** What the exporter of the stack starts with, and what it says to whoever reads its log. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startProgram } from '../support/program.ts';

const SCRIPT = fileURLToPath(new URL('../../stack/exporter.sh', import.meta.url));

let bin: string;
beforeAll(() => {
  bin = mkdtempSync(join(tmpdir(), 'bgproutes-stack-'));
  // In the place of Node: prints what it is given.
  writeFileSync(join(bin, 'node'), '#!/bin/sh\necho "$@"\n', { mode: 0o755 });
});
afterAll(() => rmSync(bin, { recursive: true }));

function start(env: Readonly<Record<string, string>>) {
  const { status, stdout, stderr } = spawnSync('sh', [SCRIPT], {
    env: { PATH: `${bin}:${process.env.PATH}`, ...env },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

it('without a key it is the demo, at the port that the user has set', () => {
  const { status, stdout, stderr } = start({ EXPORTER_PORT: '9999' });
  expect([status, stdout]).toEqual([0, '/app/dist/main.js demo --pace=long\n']);
  expect(stderr).toContain('http://localhost:9999/');
});

it('with a key and no prefix it speaks of BGP_PREFIXES, and starts nothing', () => {
  const { status, stdout, stderr } = start({ BGP_API_KEY: 'key-of-the-test' });
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain('BGP_PREFIXES=192.0.2.0/24,2001:db8::/32 docker compose up');
  expect(stderr).not.toContain('key-of-the-test');
});

it('with both it is the exporter, which reads BGP_PREFIXES itself', () => {
  const { status, stdout } = start({ BGP_API_KEY: 'k', BGP_PREFIXES: '192.0.2.0/24,2001:db8::/32' });
  expect([status, stdout]).toEqual([0, '/app/dist/main.js serve --storage.path=/data\n']);
});

it('a wrong prefix is told under the name of the variable that it stands in', async () => {
  const program = startProgram(['serve'], { BGP_API_KEY: 'key-of-the-test', BGP_PREFIXES: '192.0.2.0/24,192.0.2.0' });
  expect(await program.exit).toBe(2);
  expect(program.stderr()).toContain('BGP_PREFIXES: expected a prefix such as 192.0.2.0/24');
  expect(program.stderr()).not.toContain('--prefix');
});
