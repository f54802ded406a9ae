import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { parsePrefix } from '../../../src/bgp/prefix.ts';
import { ManualClock } from '../../../src/simulator/clock.ts';
import type { Simulator, SimulatorOptions } from '../../../src/simulator/contract.ts';
import { startSimulator } from '../../../src/simulator/simulator.ts';
import { recordingLines } from '../../fixtures/make-recording.ts';
import { readLines, recordingPath } from '../../support/recordings.ts';
import { associate, connect, dateOf, query, subscribe, until } from '../services/stream-client.ts';

const folder = mkdtempSync(join(tmpdir(), 'simulator-replay-'));
afterAll(() => rmSync(folder, { recursive: true }));

function pipe(): string {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  return path;
}

let simulator: Simulator;
afterEach(() => simulator?.stop());

interface Line {
  readonly [key: string]: unknown;
}

function recording(lines: readonly (Line | string)[], name = 'recording.jsonl'): string {
  const path = join(folder, name);
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : `${text}\n`);
  return path;
}

async function start(replay: string, options: Partial<SimulatorOptions> = {}): Promise<void> {
  simulator = await startSimulator({ apiKeys: ['one', 'two'], replay, speed: 'max', dataApiLatencyMs: 0, ...options });
}

const update = (i: number, rest: Line = {}): Line => ({
  record_type: 'update',
  vp: '3333_193.0.0.56',
  sec: 1_781_593_413 + i,
  Usec: i,
  prefixes: '192.0.2.0/24',
  'as-path': `3333 ${i + 1}`,
  communities: `3333:${i % 10}`,
  ...rest,
});

describe('nothing is lost of', () => {
  const own = join(folder, 'own.jsonl');
  // The one message with half its prefixes unreadable is sent without these, and so not as it was recorded.
  writeFileSync(
    own,
    `${recordingLines()
      .filter((line) => !line.includes('010.0.0.0/8'))
      .join('\n')}\n`,
  );
  const paths = [
    own,
    ...['tenpfx-telegram-hijack-20260616.jsonl.gz', 'tenpfx-rrc00-20181218.jsonl.gz'].flatMap(
      (name) => recordingPath(name) ?? [],
    ),
  ];

  /** What a recording says, read without the simulator. Lines that are not about any prefix cannot be sent to anybody. */
  const sendable = (line: string): boolean => {
    try {
      const { record_type, vp, bmp_peer, sec, Usec, communities, nexthop, origin, ...rest } = JSON.parse(line);
      const isUpdate = record_type === 'update' || (record_type === 'bmp_update' && bmp_peer !== undefined);
      return isUpdate && /_/.test(vp) && /\/\d/.test(JSON.stringify(rest));
    } catch {
      return false;
    }
  };

  it.each(paths)('%s', async (path) => {
    await start(path, { timestamps: 'original' });
    const client = await subscribe(simulator, 'one', '0.0.0.0/0,::/0');
    await simulator.replayFinished;
    const lines = readLines(path).filter(sendable);
    await until(() => client.frames.length >= lines.length, 'all frames');
    expect(client.frames).toEqual(lines);
    expect(lines.length).toBeGreaterThan(100);
    const held = new Map<string, string>();
    for (const line of lines) {
      const {
        record_type,
        vp,
        bmp_peer,
        prefixes,
        'as-path': path,
        sec,
        Usec,
        communities,
        nexthop,
        origin,
        ...rest
      } = JSON.parse(line);
      const key = record_type === 'update' ? `bgp ${vp}` : `bmp ${bmp_peer} ${vp}`;
      for (const list of Object.values(rest))
        for (const prefix of String(list).split(',')) held.delete(`${key} ${parsePrefix(prefix)?.text}`);
      for (const prefix of (prefixes ?? '').split(','))
        if (prefix !== '') held.set(`${key} ${parsePrefix(prefix)?.text}`, path ?? '');
    }
    const truth = new Map([...simulator.routes()].map(({ vpKey, prefix, asPath }) => [`${vpKey} ${prefix}`, asPath]));
    expect(truth).toEqual(held);
  });
});

describe('replay', () => {
  it('with original times the messages are those of the recording, byte for byte', async () => {
    const lines: Line[] = [
      update(0, { nexthop: '193.0.0.56', origin: 'IGP' }),
      {
        record_type: 'update',
        vp: '3333_193.0.0.56',
        sec: 1_781_593_420,
        Usec: 0,
        withdraws: '192.0.2.0/24,192.0.2.0/25',
      },
      {
        record_type: 'bmp_update',
        vp: '64500_192.0.2.1',
        bmp_peer: '64501_2001:db8::1',
        sec: '1781593421',
        Usec: '5',
        prefixes: '192.0.2.0/25',
        'as-path': '64501 {1,2}',
      },
      update(9, { extra: { kept: [true, null] }, 'as-path': '', withdraws: '192.0.2.128/25' }),
    ];
    await start(recording(lines, 'four.jsonl.gz'), { timestamps: 'original' });
    const client = await subscribe(simulator, 'one', '192.0.2.0/24');
    await simulator.replayFinished;
    await until(() => client.frames.length === 4);
    expect(client.frames).toEqual(lines.map((line) => JSON.stringify(line)));
  });

  it('nothing is sent before somebody is connected and subscribed, in whichever order', async () => {
    const path = recording(Array.from({ length: 100 }, (_, i) => update(i)));
    await start(path);
    await associate(simulator, 'one', '192.0.2.0/24');
    const other = await connect(simulator, 'two');
    await until(() => simulator.sessions() === 1);
    expect(simulator.stats.replayedMessages).toBe(0);
    const client = await connect(simulator, 'one');
    await until(() => client.frames.length === 100);
    expect(other.frames).toEqual([]);
    await simulator.stop();

    await start(path);
    const early = await connect(simulator, 'one');
    await until(() => simulator.sessions() === 1);
    expect(simulator.stats.replayedMessages).toBe(0);
    await associate(simulator, 'one', '192.0.2.0/24');
    await until(() => early.frames.length === 100);
  });

  it('it can wait for several sessions', async () => {
    await start(recording([update(0)]), { sessionsBeforeReplay: 2 });
    const one = await subscribe(simulator, 'one', '192.0.2.0/24');
    expect(simulator.stats.replayedMessages).toBe(0);
    const two = await subscribe(simulator, 'two', '192.0.2.0/24');
    await until(() => one.frames.length === 1 && two.frames.length === 1);
  });

  it('at full speed a slow client loses nothing, and memory does not pile up', async () => {
    const path = recording(
      Array.from({ length: 20_000 }, (_, i) => update(i, { communities: '3333:1 '.repeat(40).trim() })),
    );
    await start(path, { maxPendingBytes: 4 * 1024 * 1024 });
    const client = await subscribe(simulator, 'one', '192.0.2.0/24');
    client.socket.pause();
    await until(() => simulator.stats.replayedMessages > 0);
    let played = -1;
    await until(() => {
      const isWaiting = played === simulator.stats.replayedMessages;
      played = simulator.stats.replayedMessages;
      return isWaiting;
    });
    expect(played).toBeLessThan(20_000);
    client.socket.resume();
    await simulator.replayFinished;
    await until(() => client.frames.length === 20_000);
    expect(client.messages().map((message) => message['as-path'])).toEqual(
      Array.from({ length: 20_000 }, (_, i) => `3333 ${i + 1}`),
    );
  });

  it('times are those of the sending, and rise', async () => {
    await start(recording(Array.from({ length: 1_000 }, (_, i) => update(1_000 - i))));
    const fromMs = Date.now();
    const client = await subscribe(simulator, 'one', '192.0.2.0/24');
    await until(() => client.frames.length === 1_000);
    const times = client.messages().map((message) => Number(message.sec) * 1e6 + Number(message.Usec));
    expect(times[0] / 1000).toBeGreaterThanOrEqual(fromMs);
    expect(times.at(-1)! / 1000).toBeLessThan(Date.now() + 1000);
    expect(times.every((time, i) => i === 0 || time > times[i - 1])).toBe(true);
    expect(Object.keys(client.messages()[0])).toEqual([
      'record_type',
      'vp',
      'sec',
      'Usec',
      'prefixes',
      'as-path',
      'communities',
    ]);
  });

  it('only what a key is associated with, and the withdrawn key that was chosen', async () => {
    const lines = [
      update(0, { prefixes: '192.0.2.0/24,198.51.100.0/24', withdrawals: ['10.0.0.0/8', '192.0.2.128/25'] }),
      update(1, { prefixes: '198.51.100.0/24' }),
      update(2, { prefixes: '198.51.100.0/24', withdrawn: '192.0.2.0/24' }),
    ];
    await start(recording(lines), { withdrawKey: 'withdraw' });
    const client = await subscribe(simulator, 'one', '192.0.2.0/24');
    await simulator.replayFinished;
    await until(() => client.frames.length === 2);
    expect(client.messages()[0]).toMatchObject({
      prefixes: '192.0.2.0/24',
      withdraw: '192.0.2.128/25',
      'as-path': '3333 1',
    });
    expect(Object.keys(client.messages()[1])).toEqual(['record_type', 'vp', 'sec', 'Usec', 'withdraw']);
  });

  it('real spacing, times the speed', async () => {
    const clock = new ManualClock();
    const seconds = [0, 10, 10, 4, 30];
    await start(recording(seconds.map((second, i) => update(i, { sec: 1_000_000_000 + second, Usec: 0 }))), {
      speed: 2,
      clock,
    });
    const client = await subscribe(simulator, 'one', '192.0.2.0/24');
    await until(() => client.frames.length === 1);
    simulator.advance(4_999);
    await until(() => client.frames.length === 1);
    simulator.advance(1);
    await until(() => client.frames.length === 4);
    simulator.advance(10_000);
    await until(() => client.frames.length === 5);
    await simulator.replayFinished;
  });

  it('a loop goes on with the same messages, at its pace', async () => {
    const clock = new ManualClock();
    await start(recording([update(0), update(10, { Usec: 0 })]), { speed: 1, loop: true, clock });
    const client = await subscribe(simulator, 'one', '192.0.2.0/24');
    await until(() => client.frames.length === 1);
    for (let round = 1; round <= 3; round++) {
      simulator.advance(10_000);
      await until(() => client.frames.length === 1 + 2 * round);
    }
    expect(client.messages().map((message) => message['as-path'])).toEqual([
      '3333 1',
      '3333 11',
      '3333 1',
      '3333 11',
      '3333 1',
      '3333 11',
      '3333 1',
    ]);
  });

  it('rib lines are the table to start from, and are not sent; the Data API serves it and what follows', async () => {
    const lines = [
      { ...update(0), record_type: 'rib', vp: '1103_192.0.2.77', 'as-path': '1103 64500' },
      update(1),
      { ...update(2), prefixes: undefined, withdraws: '192.0.2.0/24', vp: '1103_192.0.2.77' },
    ];
    await start(recording(lines), { timestamps: 'original' });
    const at = async (sec: number) => {
      const date = dateOf((1_781_593_413 + sec) * 1000);
      return (await query(simulator, 'one', 'rib', { vp_bgp_ids: '1,2', date, prefix_exact_match: '192.0.2.0/24' }))
        .body.data.bgp;
    };
    const held = { '192.0.2.0/24': ['1103 64500', '3333:0', null, null, -1] };
    expect(await at(5)).toEqual({ 1: held, 2: {} });
    const client = await subscribe(simulator, 'one', '192.0.2.0/24');
    await until(() => client.frames.length === 2);
    expect(await at(0)).toEqual({ 1: held, 2: {} });
    expect(await at(1)).toEqual({ 1: held, 2: { '192.0.2.0/24': ['3333 2', '3333:1', null, null, -1] } });
    expect(Object.keys((await at(2))[1])).toEqual([]);
    expect([...simulator.routes()].map(({ vpKey, asPath }) => [vpKey, asPath])).toEqual([
      ['bgp 3333_193.0.0.56', '3333 2'],
    ]);
  });

  it('lines that are no message are skipped and counted', async () => {
    const lines = [
      '{"record_type":"update",',
      '[]',
      { record_type: 'stats' },
      { ...update(0), vp: '3333' },
      { ...update(0), record_type: 'bmp_update' },
      { ...update(0), prefixes: '' },
      { ...update(0), prefixes: 'everything' },
      '',
      update(1),
    ];
    await start(recording(lines));
    expect(simulator.stats.skippedLines).toBe(7);
    const client = await subscribe(simulator, 'one', '192.0.2.0/24');
    await until(() => client.frames.length === 1);
  });

  it.each([
    ['a file that is not there', () => join(folder, 'nowhere.jsonl'), /^cannot read recording .*: no such file$/],
    ['a folder', () => folder, /^cannot read recording .*: it is a folder$/],
    ['a device', () => '/dev/zero', /: it is a pipe or device, expected a regular file$/],
    ['a pipe that nobody writes to', pipe, /: it is a pipe or device, expected a regular file$/],
    [
      'a file that is not gzip',
      () => recording(['{}'], 'x.jsonl').replace('x.jsonl', 'broken.jsonl.gz'),
      /^cannot read recording .*: it cannot be unpacked \(incorrect header check\)$/,
    ],
    [
      'a file without a message',
      () => recording(['{}', 'x']),
      /^recording .* holds no message \(2 lines that are none\)$/,
    ],
  ])('%s is refused', async (_, path, message) => {
    writeFileSync(join(folder, 'broken.jsonl.gz'), 'no gzip');
    await expect(start(path())).rejects.toMatchObject({ code: 'RECORDING', message: expect.stringMatching(message) });
  });

  it('a file over the bound is refused', async () => {
    const path = recording(Array.from({ length: 100 }, (_, i) => update(i)));
    await expect(start(path, { maxRecordingBytes: 1_000 })).rejects.toThrow('more than 1000 bytes');
  });
});
