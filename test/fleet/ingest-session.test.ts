/** What an ingest tells of the history, and tells once more when what it has written is lost. */
import { expect, it } from 'vitest';
import { type Prefix, parsePrefix } from '../../src/bgp/prefix.ts';
import { ServiceClock } from '../../src/feed/clocks/service-clock.ts';
import { EventWriter } from '../../src/fleet/event-writer.ts';
import { IngestSession } from '../../src/fleet/ingest/ingest-session.ts';
import { VpList } from '../../src/fleet/ingest/vp-list.ts';
import { PartitionMap } from '../../src/fleet/partitions.ts';
import { type Control, decodeRecord } from '../../src/fleet/records.ts';
import { TableFigures } from '../../src/metrics/figures/table-figures.ts';
import type { FrameDecoder } from '../../src/stream/frame-decoder.ts';
import type { History, HistoryVp } from '../../src/stream/history.ts';
import { createStreamStats } from '../../src/stream/stream-health.ts';
import { ManualTimers } from '../stream/manual-timers.ts';
import { RecordingLogger } from '../stream/recording-logger.ts';
import { until as eventually } from '../support/patience.ts';

const PREFIX = '192.0.2.0/24';
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
  const sender = {
    send: async (records: readonly { readonly value: Buffer }[]) => {
      for (const { value } of records) {
        const record = decodeRecord(value);
        if (record?.kind === 'control') told.push(record.control.type);
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
      yield { rows: [ROW], unavailable: [] };
    },
    async *holders() {
      yield { rows: [ROW], unavailable: [] };
    },
    async *updates() {},
  };
  const clock = new ServiceClock({ logger: log, streamDelayMs: () => undefined, onChange() {}, onRefused() {} });
  const list = new VpList({ now: () => timers.now(), clock, onList() {}, onBack() {} });
  const stream = createStreamStats('bgproutes', '0', timers.now());
  const session = new IngestSession({
    ...{ session: 0, stream, decoder: NOTHING, writer, history, list, prefixes: [PREFIX], timers, log },
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
  // A gap of the stream alone: what was told before holds.
  session.disconnected(timers.now());
  session.connected(timers.now());
  await until(...all, 'gap', 'gap', 'complete');
  told.length = 0;
  session.readAgain(timers.now(), timers.now());
  await until('gap', ...all);
  await session.stop();
});
