/** `tail --source=ris-live`: what it says of its connection. What it prints of messages is that of the other source. */
import { afterEach, expect, it } from 'vitest';
import { tailCommand } from '../../src/commands/tail.ts';
import { webSocketServer } from '../stream/test-servers.ts';
import { runCommand } from './command-world.ts';

const P = '203.0.113.0/24';
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

function tail(url: string) {
  const run = runCommand(tailCommand, ['--source=ris-live', `--prefix=${P}`, `--ris-live.url=${url}`]);
  cleanups.push(() => run.stop().catch(() => {}));
  return run;
}

it('a stream that was never connected is not disconnected, and each attempt has one line', async () => {
  const run = tail('ws://127.0.0.1:1/v1/ws/');
  await run.noted('# could not connect');
  expect(await run.stop()).toBe(0);
  const line =
    '# could not connect: connect_failed (nothing listens at 127.0.0.1:1, or a firewall refuses the connection (ECONNREFUSED)); trying again';
  expect(new Set(run.stderr.lines)).toEqual(new Set([line]));
});

it('a stream that stood is disconnected', async () => {
  const server = await webSocketServer((client) => {
    client.on('message', () => client.close(1001, 'restart'));
  });
  cleanups.push(() => server.close());
  const run = tail(`ws://127.0.0.1:${server.url.port}/v1/ws/`);
  await run.noted('# disconnected: closed (');
  expect(run.stderr.text).not.toContain('could not connect');
  expect(await run.stop()).toBe(0);
});
