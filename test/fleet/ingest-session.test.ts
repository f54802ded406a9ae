/** What an ingest tells of the history, and tells once more when what it has written is lost. */
import { expect, it } from 'vitest';
import { type Prefix, parsePrefix } from '../../src/bgp/prefix.ts';
import { ServiceClock } from '../../src/feed/clocks/service-clock.ts';
import { EventWriter } from '../../src/fleet/event-writer.ts';
import { IngestSession } from '../../src/fleet/ingest/ingest-session.ts';
import { MoreSpecifics } from '../../src/fleet/ingest/more-specifics.ts';
import { SessionShares } from '../../src/fleet/ingest/session-shares.ts';
import { VpList } from '../../src/fleet/ingest/vp-list.ts';
import { PartitionMap } from '../../src/fleet/partitions.ts';
import { type Control, decodeRecord } from '../../src/fleet/records.ts';
import { TableFigures } from '../../src/metrics/figures/table-figures.ts';
import type { FrameDecoder } from '../../src/stream/frame-decoder.ts';
import type { AskedInside, History, HistoryVp } from '../../src/stream/history.ts';
import { createStreamStats } from '../../src/stream/stream-health.ts';
import { ManualTimers } from '../stream/manual-timers.ts';
import { RecordingLogger } from '../stream/recording-logger.ts';
import { until as eventually } from '../support/patience.ts';

const PREFIX = '192.0.2.0/24';
const INNER = '192.0.2.64/26';
const VP: HistoryVp = {
  ...{ id: '1', vp: { protocol: 'bgp', asn: 64_501, ip: '198.51.100.1' }, status: 'up' },
  ...{ ribSizeV4: 1, ribSizeV6: 1 },
};
const ROW = { vp: VP.vp, prefix: PREFIX, asPath: '64501 64500', communities: '' };
const NOTHING: FrameDecoder = { failures: [], harmless: [], decode() {} };

it('tells the routes and who held the prefixes once more when records of both may be lost', async () => {
  const timers = new ManualTimers();
  const log = new RecordingLogger();
  const told: Control['type'][] = [];
  const inside: AskedInside[] = [];
  const sender = {
    send: async (records: readonly { readonly value: Buffer }[]) => {
      for (const { value } of records) {
        const record = decodeRecord(value);
        if (record?.kind !== 'control') continue;
        told.push(record.control.type);
        if (record.control.type === 'rib') inside.push(...record.control.inside);
      }
    },
    close: async () => {},
  };
  const writer = new EventWriter({
    ...{ sender, map: new PartitionMap([parsePrefix(PREFIX) as Prefix], 1), term: () => 7, timers, log, secrets: [] },
    onLost: () => {},
  });
  const history: History = {
    clockOffsetMs: 0,
    readClock: async () => {},
    vantagePoints: async () => [VP],
    async *rib() {
      yield { rows: [], unavailable: [], askedInside: [{ of: PREFIX, prefixes: [INNER] }] };
      yield { rows: [ROW, { ...ROW, prefix: INNER }], unavailable: [] };
    },
    async *holders() {
      yield { rows: [ROW], unavailable: [] };
    },
    async *updates() {},
  };
  const clock = new ServiceClock({ logger: log, streamDelayMs: () => undefined, onChange() {}, onRefused() {} });
  const list = new VpList({ now: () => timers.now(), clock, onList() {}, onBack() {} });
  const stream = createStreamStats('bgproutes', '0', timers.now());
  const moreSpecifics = new MoreSpecifics([parsePrefix(PREFIX) as Prefix], 256);
  const session = new IngestSession({
    ...{ session: 0, stream, decoder: NOTHING, writer, history, list, prefixes: [PREFIX], timers, log },
    shares: new SessionShares([[PREFIX]]),
    moreSpecifics,
    ...{ figures: new TableFigures(timers.now()), lagMs: 0, expectedWindowMs: 86_400_000 },
  });
  const until = (...expected: Control['type'][]) =>
    eventually(() => {
      timers.advance(1_000);
      expect(told).toEqual(expected);
    }, 50);
  stream.up = true;
  session.connected(timers.now());
  const all: Control['type'][] = ['gap', 'rib', 'rib', 'holders', 'complete'];
  await until(...all);
  expect(inside).toEqual([{ of: PREFIX, prefixes: [INNER] }]);
  expect([...moreSpecifics.of(PREFIX)]).toEqual([INNER]);
  // Whoever doubts an absence gets a second answer, once.
  timers.advance(120_000);
  await until(...all, 'rib', 'rib');
  timers.advance(120_000);
  await until(...all, 'rib', 'rib');
  told.splice(all.length);
  // A gap of the stream alone: what was told before holds.
  session.disconnected(timers.now());
  session.connected(timers.now());
  await until(...all, 'gap', 'gap', 'complete');
  told.length = 0;
  session.readAgain(timers.now(), timers.now());
  await until('gap', ...all);
  await session.stop();
});

it('writes no message about a prefix that another session carries too, and counts it', async () => {
  const timers = new ManualTimers();
  const log = new RecordingLogger();
  const [outer, inner] = ['10.0.0.0/8', '10.1.0.0/16'];
  const written: string[] = [];
  const sender = {
    send: async (records: readonly { readonly value: Buffer }[]) => {
      for (const { value } of records) {
        const record = decodeRecord(value);
        if (record?.kind === 'messages') written.push(...record.messages.map(String));
      }
    },
    close: async () => {},
  };
  const map = new PartitionMap([parsePrefix(outer) as Prefix], 1);
  const writer = new EventWriter({ ...{ sender, map, term: () => 7, timers, log, secrets: [] }, onLost: () => {} });
  const attributes = { asPath: '64501 64500', communities: '', nextHop: '', originAttribute: 'IGP' } as const;
  /** Each frame is the text of a prefix, which is announced. */
  const decoder: FrameDecoder = {
    ...{ failures: [], harmless: [] },
    decode: (frames, to) => {
      for (const frame of frames) {
        const route = { vp: VP.vp, timeUs: 1_700_000_000_000_000, withdrawn: [], announced: [String(frame)] };
        to.update({ ...route, attributes });
      }
    },
  };
  const clock = new ServiceClock({ logger: log, streamDelayMs: () => undefined, onChange() {}, onRefused() {} });
  const list = new VpList({ now: () => timers.now(), clock, onList() {}, onBack() {} });
  const shares = new SessionShares([[outer], [inner]]);
  const moreSpecifics = new MoreSpecifics([outer, inner].map(parsePrefix) as Prefix[], 256);
  const sessions = [[outer], [inner]].map(
    (prefixes, session) =>
      new IngestSession({
        ...{ session, decoder, writer, history: undefined, list, shares, moreSpecifics, prefixes, timers, log },
        stream: createStreamStats('bgproutes', String(session), timers.now()),
        ...{ figures: new TableFigures(timers.now()), lagMs: 0, expectedWindowMs: 86_400_000 },
      }),
  );
  // Both hear the inner one.
  for (const session of sessions) session.frames([Buffer.from(inner)], timers.now());
  sessions[0].frames([Buffer.from(outer)], timers.now());
  for (const prefix of ['10.9.0.0/16', '10.9.0.0/16', '192.0.2.0/24'])
    sessions[0].frames([Buffer.from(prefix)], timers.now());
  sessions[1].frames([Buffer.from('10.1.9.0/24')], timers.now());
  await eventually(() => {
    timers.advance(1_000);
    expect(written).toHaveLength(5);
  }, 50);
  expect([outer, inner].map((prefix) => [...moreSpecifics.of(prefix)])).toEqual([['10.9.0.0/16'], ['10.1.9.0/24']]);
  expect(sessions.map(({ counts }) => counts.dropped.other_session)).toEqual([1, 0]);
});
