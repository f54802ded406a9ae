import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { buildProgram } from '../support/program.ts';

it('a start with too few files allowed ends with a sentence that says how many are needed', () => {
  const { status, stderr } = spawnSync(
    'sh',
    ['-c', 'ulimit -n 40; exec "$0" "$@"', process.execPath, buildProgram(), 'serve', '--prefix=192.0.2.0/24'],
    { encoding: 'utf8', env: { ...process.env, BGP_API_KEY: 'a-key-of-a-test' } },
  );
  expect([status, stderr]).toEqual([
    1,
    'bgproutes-exporter: the process has too many open files: allow it 1024 or more (ulimit -n, LimitNOFILE of systemd, --ulimit nofile=1024 of a container engine)\n',
  ]);
});
