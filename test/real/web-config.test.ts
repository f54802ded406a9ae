/** What `promtool check web-config` of Debian says of the same files: of one opinion wherever it knows the keys. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { filesOfCases, WEB_CASES } from '../config/web/cases.ts';
import { makeCertificate } from '../support/certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'web-config-'));
afterAll(() => rmSync(folder, { recursive: true }));
for (const [name, text] of Object.entries(filesOfCases(makeCertificate('server'), makeCertificate('other'))))
  writeFileSync(join(folder, name), text);

function hasPromtool(): boolean {
  try {
    execFileSync('promtool', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!hasPromtool())('promtool check web-config', () => {
  it.each(WEB_CASES.filter(({ promtool }) => promtool !== false))('$name', ({ yaml, problem, toolkit }) => {
    const file = join(folder, 'web.yml');
    writeFileSync(file, yaml);
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'web-config', file], { encoding: 'utf8' });
    expect(status === 0 ? 'right' : 'wrong', stdout + stderr).toBe(
      toolkit ?? (problem === undefined ? 'right' : 'wrong'),
    );
  });
});
