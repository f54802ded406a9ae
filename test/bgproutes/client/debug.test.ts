import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  DEBUG_ESSENTIAL,
  DEBUG_NOTHING,
  DEBUG_TOO_MUCH,
  type DebugLevel,
} from '../../../src/bgproutes/client/debug-log.ts';
import { RecordingLogger } from '../../stream/recording-logger.ts';
import { until } from '../../support/patience.ts';
import { BGP_VP, cleanups, connect, failure, KEY, openStream, P1, ROUTE, simulate, take } from './client-world.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'client-debug-'));
  cleanups.push(async () => rmSync(path, { recursive: true }));
  return path;
}

describe('the debug output', () => {
  it.each<[DebugLevel, string[], string[]]>([
    [0, [], ['level=']],
    [1, ['level=info msg="stream connected"'], ['level=debug', 'msg=frame']],
    [2, ['level=info msg="stream connected"', 'level=debug'], ['msg=frame']],
    [
      3,
      ['level=info msg="stream connected"', 'level=debug msg=frame', String.raw`\"prefixes\":\"192.23.62.0/24\"`],
      [],
    ],
  ])('at level %i', async (debugLevel, expected, unexpected) => {
    const debugFile = join(folder(), 'debug.log');
    const simulator = await simulate();
    const vp = simulator.addVantagePoint(BGP_VP);
    const client = connect(simulator, { debugLevel, debugFile });
    await client.subscribe(P1);
    const iterator = await openStream(client);
    simulator.announce(vp.key, P1, { ...ROUTE, communities: KEY });
    await take(iterator);
    await client.close();
    const text = readFileSync(debugFile, 'utf8');
    for (const part of expected) expect(text).toContain(part);
    for (const part of unexpected) expect(text).not.toContain(part);
    // Not even when the stream says it.
    expect(text).not.toContain(KEY);
  });

  it('can be changed on the way', async () => {
    const path = folder();
    const [first, second] = [join(path, 'first.log'), join(path, 'second.log')];
    const simulator = await simulate();
    const client = connect(simulator, { debugFile: first });
    await client.subscribe(P1);
    client.setDebugLevel(DEBUG_ESSENTIAL);
    await client.subscribe(P1);
    client.setDebugFile(second);
    await client.subscribe(P1);
    client.setDebugLevel(DEBUG_NOTHING);
    await client.subscribe(P1);
    const lines = (file: string) => readFileSync(file, 'utf8').split('\n').filter(Boolean).length;
    expect([lines(first), lines(second)]).toEqual([1, 1]);
  });

  it('to a file that cannot be written fails at once', async () => {
    const simulator = await simulate();
    const debugFile = join(folder(), 'missing', 'debug.log');
    expect(() => connect(simulator, { debugFile })).toThrow('ENOENT');
    const client = connect(simulator);
    expect(() => client.setDebugFile(debugFile)).toThrow('ENOENT');
    expect(existsSync(debugFile)).toBe(false);
  });

  it("goes to a logger of one's own, with frames at level 3", async () => {
    const logger = new RecordingLogger();
    const simulator = await simulate();
    const vp = simulator.addVantagePoint(BGP_VP);
    const client = connect(simulator, { logger, debugLevel: DEBUG_TOO_MUCH });
    await client.subscribe(P1);
    const iterator = await openStream(client);
    simulator.announce(vp.key, P1, ROUTE);
    await take(iterator);
    const messages = logger.lines.map(({ message }) => message);
    expect(messages).toEqual(expect.arrayContaining(['stream connected', 'frame']));
    simulator.faults.garbage('invalid_json');
    simulator.faults.garbage('invalid_json');
    await take(iterator);
    await take(iterator);
    // Once for a reason, however often it comes.
    expect(logger.lines.filter(({ message }) => message.startsWith('a frame could not be read'))).toHaveLength(1);
  });

  it('tells why prefixes were refused', async () => {
    const logger = new RecordingLogger();
    const simulator = await simulate({ maxPrefixes: 0 });
    await failure(connect(simulator, { logger }).subscribe(P1));
    expect(logger.lines.at(-1)).toMatchObject({
      level: 'error',
      fields: { detail: 'HTTP status 400: An API key may be associated with up to 0 prefixes, got 1' },
    });
  });
});

const SCRIPT = `
  import { BgproutesLiveClient } from ${JSON.stringify(new URL('../../../src/bgproutes/client/client.ts', import.meta.url).href)};
  const [websocketUrl, url, how] = process.argv.slice(2);
  const client = new BgproutesLiveClient({
    apiKey: ${JSON.stringify(KEY)}, websocketUrl, liveManagerUrl: url, dataApiUrl: url, debugLevel: 1,
    reconnect: how !== 'cut',
  });
  await client.subscribe('${P1}');
  await client.dataApi.vantagePoints();
  const abort = new AbortController();
  let seen = 0;
  try {
    for await (const message of client.messages({ signal: abort.signal })) {
      seen++;
      console.log('a message');
      if (how === 'abort') abort.abort();
      if (how === 'close') await client.close();
      if (how === 'break') break;
    }
  } catch (error) {
    console.log(error.name);
  }
  console.log('seen', seen);
  process.on('exit', () => console.log('left', process.getActiveResourcesInfo().filter((one) => /Timeout|Immediate/.test(one)).length));
`;

describe('a process', () => {
  it.each(['abort', 'close', 'break', 'cut'])(
    'ends by itself after %s: no timer and no socket is left',
    async (how) => {
      const simulator = await simulate();
      const vp = simulator.addVantagePoint(BGP_VP);
      const root = fileURLToPath(new URL('../../..', import.meta.url));
      const args = ['--import', 'tsx', '--input-type=module', '-', simulator.websocketUrl, simulator.url, how];
      const child = spawn(process.execPath, args, { cwd: root, stdio: ['pipe', 'pipe', 'pipe'] });
      cleanups.push(async () => child.kill('SIGKILL'));
      child.stdin.end(SCRIPT);
      let output = '';
      child.stdout.on('data', (chunk) => (output += chunk));
      child.stderr.on('data', (chunk) => (output += chunk));
      const exit = new Promise((resolve) => child.on('close', resolve));
      await until(() => expect(output).toContain('stream connected'));
      simulator.announce(vp.key, P1, ROUTE);
      if (how === 'cut') {
        await until(() => expect(output).toContain('a message'));
        simulator.faults.cut();
      }
      // The closing handshake takes a moment; a timer of the association would take four hours.
      expect([await exit, output]).toEqual([0, expect.stringContaining('seen 1')]);
      expect(output).toContain('left 0');
      if (how === 'cut') expect(output).toContain('WebsocketConnectionError');
      await until(() => expect(simulator.sessions()).toBe(0));
    },
  );
});
