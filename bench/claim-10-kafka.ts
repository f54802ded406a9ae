/** Claim 10: of a stream of the whole world only what concerns monitored prefixes is decoded further than its prefixes. */
import { Reader, readRecordsBatches } from '@platformatic/kafka';
import { parsePrefix } from '../src/bgp/prefix.ts';
import type { RouteUpdate } from '../src/bgp/route-event.ts';
import { BmpDecoder } from '../src/kafka/bmp/decoder.ts';
import { PrefixFilter } from '../src/kafka/bmp/prefix-filter.ts';
import { RecordFilter } from '../src/kafka/bmp/record-filter.ts';
import { readRecords } from '../src/kafka/record-batches.ts';
import { recordFrame } from '../src/kafka/record-frame.ts';
import type { EventSink } from '../src/stream/frame-decoder.ts';
import { MONITORED, recordBatches } from './bmp-records.ts';
import { atLeast, type BenchContext, type Claim, type Finding, mustEqual } from './claim.ts';
import { costOf, interleaved } from './rounds.ts';

const MESSAGES = 100_000;
const ROUNDS = 7;

/** Parsing of batches by the library, look at receipt, frames and decoding: all that the source does with an answer. */
class Contestant {
  readonly #decoder: BmpDecoder;
  readonly #atReceipt: RecordFilter | undefined;

  /** @param isSelective false: every message is decoded whole, whatever its prefixes are */
  constructor(isSelective: boolean) {
    const filter = new PrefixFilter();
    filter.set((isSelective ? MONITORED : ['0.0.0.0/0', '::/0']).flatMap((text) => parsePrefix(text) ?? []));
    this.#decoder = new BmpDecoder({ filter });
    this.#atReceipt = isSelective ? new RecordFilter(filter) : undefined;
  }

  read(batches: readonly Buffer[], take: (update: RouteUpdate) => void): void {
    const sink: EventSink = {
      update: take,
      failed: (reason) => {
        throw new Error(`a message of the bench was refused: ${reason}`);
      },
      ...{ integers() {}, peerState() {}, unused() {}, passed() {}, general() {}, remark() {} },
    };
    for (const bytes of batches) {
      const { records } = readRecords(readRecordsBatches(Reader.from(bytes)), 0);
      const frames: Buffer[] = [];
      for (const { timeMs, value } of records)
        if (value !== undefined && this.#atReceipt?.isNeeded(value) !== false)
          frames.push(recordFrame(timeMs, 0, value));
      if (frames.length > 0) this.#decoder.decode(frames, sink);
    }
  }
}

async function measure({ progress }: BenchContext): Promise<Finding[]> {
  const { batches, bytes } = recordBatches(MESSAGES);
  const monitored = new Set(MONITORED);
  const ours = new Contestant(true);
  const all = new Contestant(false);
  const found = [ours, all].map((contestant) => {
    const updates: RouteUpdate[] = [];
    contestant.read(batches, (update) => {
      if (
        update.announced.some((prefix) => monitored.has(prefix)) ||
        update.withdrawn.some((prefix) => monitored.has(prefix))
      )
        updates.push(update);
    });
    return updates;
  });
  mustEqual('updates of monitored prefixes', found[0], found[1]);
  if (found[0].length !== MESSAGES / 1_000) throw new Error(`${found[0].length} messages were of monitored prefixes`);
  const round = (contestant: Contestant) => async () =>
    (await costOf(() => contestant.read(batches, () => {}))) / MESSAGES;
  const measured = await interleaved({ ours: round(ours), all: round(all) }, ROUNDS, progress);
  const [our, other] = [measured.median('ours'), measured.median('all')];
  progress(`${Math.round(bytes / MESSAGES)} bytes a message; ${our.toFixed(2)} us against ${other.toFixed(2)} us`);
  return [
    atLeast(
      'Kafka, a stream of the whole world, against decoding every message, is faster',
      3,
      measured.ratio('all', 'ours'),
    ),
    // The world sends some 18,000 a second: 50,000 leave most of a core.
    atLeast('Kafka, from batches of records to updates, on one core', 50_000, 1e6 / our, 'messages a second'),
  ];
}

export const claim: Claim = { number: 10, title: 'Kafka', measure };
