/** Commands with `--source=ris-live`: no key anywhere. */
import { afterEach, expect, it } from 'vitest';
import { vantagePointKey } from '../../../src/bgp/vantage-point.ts';
import { tailCommand } from '../../../src/commands/look/tail.ts';
import { vpsCommand } from '../../../src/commands/look/vps.ts';
import { watchCommand } from '../../../src/commands/look/watch.ts';
import { demoCommand } from '../../../src/commands/simulator/demo.ts';
import type { Simulator } from '../../../src/simulator/contract.ts';
import { simulate } from '../../bgproutes/client/client-world.ts';
import { webSocketServer } from '../../stream/test-servers.ts';
import { runCommand } from '../command-world.ts';

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

const PEER = { protocol: 'bgp', asn: 3333, ip: '193.0.0.56', source: 'ris', ribSizeV4: 950_000, ribSizeV6: 0 } as const;
const OTHER = { protocol: 'bgp', asn: 64_500, ip: '192.0.2.1', source: 'routeviews' } as const;
const [PEER_KEY, OTHER_KEY] = [PEER, OTHER].map(vantagePointKey);

async function internet(): Promise<Simulator> {
  const simulator = await simulate();
  simulator.addVantagePoint(PEER);
  simulator.addVantagePoint(OTHER);
  return simulator;
}

const of = ({ websocketUrl }: Simulator) => [
  '--source=ris-live',
  `--prefix=${P}`,
  `--ris-live.url=${websocketUrl}/v1/ws/`,
];

it('tail prints what the peers of RIS say, and nothing of others', async () => {
  const simulator = await internet();
  const run = runCommand(tailCommand, of(simulator));
  cleanups.push(() => run.stop().catch(() => {}));
  await run.noted('# connected to RIS Live');
  simulator.announce(OTHER_KEY, P, { asPath: '64500 64510' });
  simulator.announce(PEER_KEY, P, { asPath: '3333 64510' });
  simulator.withdraw(PEER_KEY, P);
  const lines = await run.printed(2);
  expect(lines[0]).toMatch(/Z \+ 203\.0\.113\.0\/24 {2}AS3333 193\.0\.0\.56 {2}path 3333 64510 /);
  expect(lines[1]).toMatch(/Z - 203\.0\.113\.0\/24 {2}AS3333 193\.0\.0\.56$/);
  expect(await run.stop()).toBe(0);
});

it('watch tells changes of origin', async () => {
  const simulator = await internet();
  const run = runCommand(watchCommand, ['origins', ...of(simulator)]);
  cleanups.push(() => run.stop().catch(() => {}));
  await run.noted('# connected to RIS Live');
  simulator.announce(PEER_KEY, P, { asPath: '3333 64510' });
  simulator.announce(PEER_KEY, P, { asPath: '3333 64666' });
  const lines = await run.printed(2);
  expect(lines[1]).toContain('origin changed from AS64510 to AS64666 at AS3333 193.0.0.56; now AS64666 at 1 VP');
  expect(await run.stop()).toBe(0);
});

it('vps lists the peers that RIPEstat has', async () => {
  const { url } = await internet();
  const run = runCommand(vpsCommand, ['--source=ris-live', `--ris-live.ripestat-url=${url}`, '--format=json']);
  expect(await run.exit).toBe(0);
  const [peer, ...others] = JSON.parse(run.stdout.text) as object[];
  expect(others).toEqual([]);
  expect(peer).toMatchObject({ vp: { protocol: 'bgp', asn: 3333, ip: '193.0.0.56' }, status: 'up', ribSizeV6: 0 });
  expect(run.stderr.text).toBe('# 1 vantage point\n');
  const none = runCommand(vpsCommand, ['--source=ris-live', `--ris-live.ripestat-url=${url}`, '--asn=64500']);
  expect(await none.exit).toBe(0);
  expect(none.stderr.text).toBe('# 0 vantage points\n');
});

const WRONG = [
  [vpsCommand, ['--source=ris-live', '--source=ris'], 'expected it alone'],
  [watchCommand, ['origins', '--source=ris-live'], 'no prefix: --source=ris-live needs --prefix=PREFIX'],
  [watchCommand, ['origins', '--source=rrc00'], '--source: expected bgproutes or ris-live, got "rrc00"'],
  [
    demoCommand,
    ['--source=rislive'],
    '--source: expected bgproutes or ris-live, got "rislive", did you mean ris-live?',
  ],
] as const;

it.each(WRONG.map(([command, args, message]) => [command.name, args, message, command] as const))(
  '%s with %j is wrong usage',
  async (_name, args, message, command) => {
    const { exit } = runCommand(command, args);
    await expect(exit).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining(message) });
  },
);

it('vps refuses an address that is no URL', async () => {
  const { exit } = runCommand(vpsCommand, ['--source=ris-live', '--ris-live.ripestat-url=stat.ripe.net']);
  await expect(exit).rejects.toMatchObject({
    code: 'CONFIG',
    message: expect.stringContaining('--ris-live.ripestat-url'),
  });
});

it('the demo with RIS Live has the peers of RIS alone', async () => {
  const run = runCommand(demoCommand, ['--source=ris-live', '--web.listen-address=127.0.0.1:0']);
  cleanups.push(() => run.stop().catch(() => {}));
  const welcome = (await run.printed(10)).join('\n');
  const vps = Number(/through (\d+) simulated vantage points/.exec(welcome)?.[1]);
  expect(vps).toBeGreaterThan(30);
  expect(vps).toBeLessThan(250);
  // What a step says of all VPs is another number than the metrics have: it is told why.
  expect(welcome).toMatch(new RegExp(`The simulated Internet has \\d+ VPs, of which the source delivers ${vps}\\.`));
  expect(await run.stop()).toBe(0);
});
