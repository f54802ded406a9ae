/**
 * A recorded session read by the client and by a small Python program that was written from the service's documentation:
 * both print the same lines. Needs Python with websocket-client, requests and colorama (as Debian packages: python3-websocket,
 * python3-requests, python3-colorama).
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { messagesOf } from '../../src/bgp/live-message.ts';
import { BgproutesLiveClient } from '../../src/bgproutes/client/client.ts';
import { formatMessage } from '../../src/bgproutes/client/format-message.ts';
import { decodeMessage } from '../../src/bgproutes/live/message.ts';
import type { Simulator } from '../../src/simulator/contract.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';

const PYTHON = process.env.PYTHON ?? '/usr/bin/python3';
const READER = join(import.meta.dirname, 'read_live_stream.py');
const KEY = 'key-of-the-session';

type Frame = Readonly<Record<string, string | number>>;

/** What the simulator does not say by itself, spelt as the documentation allows. */
const MORE: readonly Frame[] = [
  {
    record_type: 'update',
    vp: '4200000001_2001:db8::1',
    sec: '1700000000',
    Usec: '7',
    prefixes: '192.23.62.0/24,2a06:3040:10::/48',
    'as-path': '4200000001 1103 {64501,64502}',
    communities: '3333:100 64500:1:2',
    nexthop: '2001:db8::1',
    origin: 0,
  },
  // Nothing but what is needed.
  { record_type: 'update', vp: '1_192.0.2.1', sec: 1_700_000_001, prefixes: '192.23.62.0/24', 'as-path': '' },
  // Withdraws and announces.
  {
    record_type: 'bmp_update',
    vp: '64500_192.0.2.1',
    bmp_peer: '64501_192.0.2.9',
    sec: 1_700_000_002,
    Usec: 500_000,
    prefixes: '192.23.62.0/24',
    'as-path': '64501 (65001 65002) 64500',
    origin: 'INCOMPLETE',
    withdraws: '2a06:3040:10::/48',
  },
];

let folder: string;
let recording: string;
let frames: readonly Frame[];
let prefixes: readonly string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'python-compat-'));
  recording = join(folder, 'session.jsonl');
  const simulator = await startSimulator({ apiKeys: [KEY], vps: 60, seed: 7 });
  prefixes = simulator.prefixes();
  const recorded: Frame[] = [];
  const client = new BgproutesLiveClient({
    ...clientOptions(simulator),
    debugLevel: 3,
    // The frames as they came, of the debug output.
    logger: {
      debug: (message, fields) => {
        if (message === 'frame') recorded.push(JSON.parse(String(fields?.text)) as Frame);
      },
      info: () => {},
      warn: () => {},
      error: () => {},
      child() {
        return this;
      },
    },
  });
  await client.subscribe(prefixes);
  for await (const item of client.messages({ events: true })) {
    if (item.type === 'connected') {
      simulator.step({ do: 'outage', prefix: prefixes[0] });
      simulator.step({ do: 'recovery', prefix: prefixes[0] });
      simulator.step({ do: 'hijack', prefix: prefixes[2], by: 64666 });
      simulator.step({ do: 'prepend', prefix: prefixes[1], times: 3 });
      simulator.step({ do: 'outage', prefix: prefixes[1] });
    }
    if (recorded.length >= 150) break;
  }
  await client.close();
  await simulator.stop();
  frames = [...recorded, ...MORE];
  writeFileSync(recording, `${frames.map((frame) => JSON.stringify(frame)).join('\n')}\n`);
});

afterAll(() => rmSync(folder, { recursive: true }));

function clientOptions(simulator: Simulator) {
  return {
    apiKey: KEY,
    websocketUrl: simulator.websocketUrl,
    liveManagerUrl: simulator.url,
    dataApiUrl: simulator.url,
  };
}

/** The recording, sent anew with its own times to whoever subscribes. */
async function replay<T>(read: (simulator: Simulator) => Promise<T>): Promise<T> {
  const simulator = await startSimulator({ apiKeys: [KEY], replay: recording, timestamps: 'original', speed: 'max' });
  try {
    return await read(simulator);
  } finally {
    await simulator.stop();
  }
}

type Lines = [v1: string, v2: string];

function readByPython(simulator: Simulator): Promise<Lines[]> {
  const args = [READER, simulator.websocketUrl, simulator.url, prefixes.join(','), String(frames.length)];
  return new Promise((resolve, reject) => {
    const child = spawn(PYTHON, args, { env: { ...process.env, BGP_API_KEY: KEY } });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => (out += chunk));
    child.stderr.on('data', (chunk) => (err += chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code !== 0) reject(new Error(`the Python reader ended with ${code}: ${err}`));
      else
        resolve(
          out
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line) as Lines),
        );
    });
  });
}

async function readByClient(simulator: Simulator): Promise<Lines[]> {
  const client = new BgproutesLiveClient(clientOptions(simulator));
  await client.subscribe(prefixes);
  const lines: Lines[] = [];
  for await (const message of client.messages()) {
    lines.push([formatMessage(message, { style: 'v1' }), formatMessage(message, { style: 'v2' })]);
    if (client.stats.frames === frames.length && lines.length === frames.length + 1) break;
  }
  await client.close();
  return lines;
}

describe('a recorded session', () => {
  let python: Lines[];
  let ours: Lines[];
  beforeAll(async () => {
    python = await replay(readByPython);
    ours = await replay(readByClient);
  });

  it('has what is to be compared', () => {
    const kinds = frames.map((frame) => `${frame.record_type} ${'prefixes' in frame ? 'U' : 'W'}`);
    expect(new Set(kinds)).toEqual(new Set(['update U', 'update W', 'bmp_update U', 'bmp_update W']));
    expect(python).toHaveLength(frames.length);
  });

  it('gives the same lines for announcements, byte for byte, in both formats', () => {
    const announcements = (lines: Lines[]) => lines.filter(([v1]) => v1.split('|')[1] === 'U');
    expect(announcements(ours)).toEqual(announcements(python));
    expect(announcements(ours).length).toBe(frames.filter((frame) => 'prefixes' in frame).length);
  });

  it('gives the same lines for withdrawals but for the prefixes, which only ours has', () => {
    const withdrawals = (lines: Lines[]) => lines.filter(([v1]) => v1.split('|')[1] === 'W');
    const expected = frames.filter((frame) => 'withdraws' in frame).map((frame) => frame.withdraws);
    expect(withdrawals(ours).map(([v1]) => v1.split('|')[4])).toEqual(expected);
    // The frame that withdraws and announces is one line for Python.
    const alone = withdrawals(ours).filter((_, i, all) => i < all.length - 1);
    expect(alone.length).toBeGreaterThan(20);
    expect(alone.map((lines) => lines.map(withoutPrefixes))).toEqual(withdrawals(python));
  });
});

function withoutPrefixes(line: string): string {
  const fields = line.split('|');
  fields[fields.length - 5] = '';
  return fields.join('|');
}

describe('a time', () => {
  it('is printed as Python prints its float', () => {
    const seconds = fc.oneof(fc.constantFrom(0, 1, 7_258_118_400), fc.integer({ min: 0, max: 7_258_118_400 }));
    const micros = fc.oneof(fc.integer({ min: 0, max: 999_999 }), fc.integer({ min: 0, max: 200 }));
    const pairs = fc.sample(fc.tuple(seconds, micros), { numRuns: 20_000, seed: 1 });
    const script = 'import json, sys; print(json.dumps([str(sec + usec / 1e6) for sec, usec in json.load(sys.stdin)]))';
    const python = JSON.parse(
      execFileSync(PYTHON, ['-c', script], { input: JSON.stringify(pairs), maxBuffer: 1e8 }).toString(),
    ) as string[];
    const ours = pairs.map(([sec, Usec]) => {
      const frame = { record_type: 'update', vp: '1_192.0.2.1', sec, Usec, prefixes: '::/0', 'as-path': '1' };
      const result = decodeMessage(JSON.stringify(frame));
      return result.ok ? formatMessage(messagesOf(result.update)[0]).split('|')[0] : result.reason;
    });
    expect(ours).toEqual(python);
  });
});
