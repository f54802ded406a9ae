/** The man page as the programs that show it judge it. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { MAN_PAGE } from '../../docs/generate-man.ts';

function run(program: string, ...args: readonly string[]) {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    env: { ...process.env, MANWIDTH: '80', LC_ALL: 'C.UTF-8' },
  });
  return { missing: error !== undefined, status, stdout, stderr };
}

describe.skipIf(run('mandoc', '-T', 'lint', '/dev/null').missing)('mandoc', () => {
  it('finds nothing to say about it', () => {
    expect(run('mandoc', '-T', 'lint', '-W', 'warning', MAN_PAGE)).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });
});

describe.skipIf(run('man', '--version').missing)('man -l', () => {
  it('shows it without a warning', () => {
    const { status, stdout, stderr } = run('man', '--warnings', '-l', MAN_PAGE);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('--config.file=FILE');
  });
});
