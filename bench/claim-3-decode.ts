/** Claim 3: a frame becomes integers faster than by JSON.parse, split and Maps, and they are the same integers. */
import { FastDecoder } from '../src/bgproutes/fast-decoder.ts';
import { decodeMessage } from '../src/bgproutes/message.ts';
import { TableIds } from '../src/table/route-ids.ts';
import { RoutingTable } from '../src/table/routing-table.ts';
import { atLeast, type BenchContext, type Claim, type Finding, mustEqual } from './claim.ts';
import { MessageBlock, prefixesOf, prefixTexts } from './messages.ts';
import { PlainDecoder } from './plain-decoder.ts';
import { costOf, interleaved } from './rounds.ts';
import { watched } from './watched.ts';

const MESSAGES = 100_000;
const ROUNDS = 9;

class OurDecoder {
  readonly table = new RoutingTable();
  readonly fast = new FastDecoder(new TableIds(this.table));
  /** Frames that went to the general decoder. */
  doubted = 0;

  constructor(prefixes: readonly string[]) {
    this.table.watch(watched(prefixes), 0);
  }

  /** What the fast decoder doubts is read by the general one, which makes it known. */
  decode(bytes: Buffer): void {
    if (this.fast.decode(bytes)) {
      if (this.fast.announcedCount > 0) this.table.paths.discard(this.fast.path);
      return;
    }
    this.doubted++;
    const result = decodeMessage(bytes);
    if (!result.ok) throw new Error(`a message of the bench was refused: ${result.reason}`);
    this.table.vps.add(result.update.vp);
    for (const prefix of result.update.announced) this.table.prefixes.resolve(prefix, true);
    for (const prefix of result.update.withdrawn) this.table.prefixes.resolve(prefix, true);
  }
}

/** Different spellings of the same numbering become equal. */
function renumbered(): (id: number) => number {
  const seen = new Map<number, number>();
  return (id) => {
    if (!seen.has(id)) seen.set(id, seen.size);
    return seen.get(id) ?? -1;
  };
}

function resultsOf(frames: readonly Buffer[], read: (frame: Buffer) => readonly (readonly number[])[]): number[][] {
  const numberings = Array.from({ length: 5 }, renumbered);
  return frames.map((frame) => read(frame).flatMap((ids, kind) => ids.map((id) => numberings[kind](id))));
}

async function measure({ progress, recording }: BenchContext): Promise<Finding[]> {
  const prefixes = recording === undefined ? prefixTexts(10) : prefixesOf(recording, 10);
  const block =
    recording === undefined
      ? MessageBlock.make({ vps: 1_000, prefixes: 10, origins: 3, messages: MESSAGES })
      : MessageBlock.fromRecording(recording, MESSAGES, prefixes);
  const ours = new OurDecoder(prefixes);
  const plain = new PlainDecoder();
  const first = block.payloads(0);
  for (const frame of first) ours.decode(frame); // VPs and paths are known from here on
  const { fast } = ours;
  const ourResults = resultsOf(first, (frame) => {
    if (!fast.decode(frame)) throw new Error(`doubted: ${frame}`);
    const announced = [...fast.announced.subarray(0, fast.announcedCount)];
    const withdrawn = [...fast.withdrawn.subarray(0, fast.withdrawnCount)];
    const route = announced.length === 0 ? [] : [fast.path];
    if (announced.length > 0) ours.table.paths.discard(fast.path);
    return [[fast.vp], [fast.timeUs], [...announced, ...withdrawn], route, route.map(() => fast.fingerprint)];
  });
  const plainResults = resultsOf(first, (frame) => {
    plain.decode(frame);
    const route = plain.announced.length === 0 ? [] : [plain.path];
    return [
      [plain.vp],
      [plain.timeUs],
      [...plain.announced, ...plain.withdrawn],
      route,
      route.map(() => plain.attributes),
    ];
  });
  mustEqual('decoded messages', ourResults, plainResults);

  ours.doubted = 0;
  const round = (decoder: { decode(frame: Buffer): void }) => async (number: number) => {
    const frames = block.payloads(number + 1);
    return (
      (await costOf(() => {
        for (const frame of frames) decoder.decode(frame);
      })) / frames.length
    );
  };
  const measured = await interleaved({ ours: round(ours), plain: round(plain) }, ROUNDS, progress);
  if (ours.doubted > 0) throw new Error(`${ours.doubted} frames were doubted: that was not the fast decoder alone`);
  progress(
    `${Math.round(block.payloadBytes / block.count)} bytes a message; ` +
      `${measured.median('ours').toFixed(3)} us against ${measured.median('plain').toFixed(3)} us`,
  );
  return [
    atLeast(
      'decoding a message to integers, against JSON.parse + split + intern, is faster',
      2.5,
      measured.ratio('plain', 'ours'),
    ),
  ];
}

export const claim: Claim = { number: 3, title: 'decoder', measure };
