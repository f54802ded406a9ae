import { spawn } from 'node:child_process';
import { expect, it } from 'vitest';
import { buildProgram } from '../support/program.ts';

/** What the program says, with so many files allowed, until it listens or has ended. */
async function saidWith(limit: number, program: string): Promise<{ ended: boolean; said: string }> {
  const flags = ['serve', '--prefix=192.0.2.0/24', '--web.listen-address=127.0.0.1:0'];
  const child = spawn('sh', ['-c', `ulimit -n ${limit}; exec "$0" "$@"`, process.execPath, program, ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, BGP_API_KEY: 'a-key-of-a-test' },
  });
  let said = '';
  let listens = false;
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    if (listens || !said.includes('web server listens')) return;
    listens = true;
    child.kill('SIGKILL');
  });
  await new Promise((resolve) => child.on('close', resolve));
  return { ended: !listens, said };
}

it('a start with too few files allowed ends with a sentence that says how many are needed', async () => {
  const program = buildProgram();
  // Node 20 reads many modules at once, and ends with 40. Node 24 reads one after the other, and ends where it has to listen.
  for (const limit of [40, 30, 26, 25, 24, 23, 22, 21, 20]) {
    const { ended, said } = await saidWith(limit, program);
    if (!ended) continue;
    expect(said).toContain(
      'the process has too many open files: allow it 1024 or more (ulimit -n, LimitNOFILE of systemd, --ulimit nofile=1024 of a container engine)',
    );
    return;
  }
  expect.unreachable('it starts with every limit');
});
