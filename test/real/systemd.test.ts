/** The unit as systemd itself judges it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const UNIT = fileURLToPath(new URL('../../deploy/systemd/bgproutes-exporter.service', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'systemd-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'bgproutes-exporter.service');
// The program is not installed here, and verify asks whether it is there.
writeFileSync(
  file,
  readFileSync(UNIT, 'utf8').replace('ExecStart=/usr/local/bin/bgproutes-exporter', 'ExecStart=/bin/true'),
);

function analyze(...args: readonly string[]) {
  const { status, stdout, stderr, error } = spawnSync('systemd-analyze', [...args, file], { encoding: 'utf8' });
  return { missing: error !== undefined, status, output: stdout + stderr };
}

describe.skipIf(analyze('--version').missing)('the unit of systemd', () => {
  it('has no mistake', () => {
    expect(analyze('verify')).toEqual({ missing: false, status: 0, output: '' });
  });

  it('is exposed to little: 2.0 of 10 at most', () => {
    const { status, output } = analyze('security', '--offline=true', '--threshold=20');
    expect(status, output).toBe(0);
  });
});
