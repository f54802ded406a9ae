/** Claim 3: a frame becomes integers faster than by JSON.parse, split and Maps, and they are the same integers. */
import type { DecodedUpdates } from '../src/bgp/route-integers.ts';
import { decodeMessage } from '../src/bgproutes/live/message.ts';
import { FastDecoder } from '../src/bgproutes/live/scanner/fast-decoder.ts';
import { RoutingTable } from '../src/table/routing-table.ts';
import { TableIds } from '../src/table/table-ids.ts';
import { atLeast, type BenchContext, type Claim, type Finding, mustEqual } from './claim.ts';
import { inPackets, MessageBlock, prefixesOf, prefixTexts } from './messages.ts';
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

  /** Gives the frames of a packet as they are read, some at a time. */
  decode(packet: readonly Buffer[], use: (frames: DecodedUpdates) => void = () => {}): void {
    const { paths } = this.table;
    this.fast.decode(
      packet,
      (read) => {
        use(read);
        for (let i = 0; i < read.count; i++) if (read.paths[i] !== 0) paths.release(read.paths[i]);
      },
      (frame) => this.#decodeDoubted(frame),
    );
  }

  /** What the fast decoder doubts is read by the general one, which makes it known. */
  #decodeDoubted(frame: Buffer): void {
    this.doubted++;
    const result = decodeMessage(frame);
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

/** Of frames: VP, time, prefixes, path, other attributes. */
function renumberedAll(frames: readonly (readonly (readonly number[])[])[]): number[][] {
  const numberings = Array.from({ length: 5 }, renumbered);
  return frames.map((frame) => frame.flatMap((ids, kind) => ids.map((id) => numberings[kind](id))));
}

function idsOf(frames: DecodedUpdates, frame: number): number[][] {
  const from = frame === 0 ? 0 : frames.announcedEnds[frame - 1];
  const withdrawn = [...frames.prefixes.subarray(from, frames.withdrawnEnds[frame])];
  const announced = [...frames.prefixes.subarray(frames.withdrawnEnds[frame], frames.announcedEnds[frame])];
  const route = announced.length === 0 ? [] : [frames.paths[frame]];
  return [
    [frames.vps[frame]],
    [frames.timesUs[frame]],
    [...announced, ...withdrawn],
    route,
    route.map(() => frames.fingerprints[frame]),
  ];
}

async function measure({ progress, recording }: BenchContext): Promise<Finding[]> {
  const prefixes = recording === undefined ? prefixTexts(10) : prefixesOf(recording, 10);
  const block =
    recording === undefined
      ? MessageBlock.make({ vps: 1_000, prefixes: 10, origins: 3, messages: MESSAGES })
      : MessageBlock.fromRecording(recording, MESSAGES, prefixes);
  const ours = new OurDecoder(prefixes);
  const plain = new PlainDecoder();
  const first = inPackets(block.payloads(0));
  for (const packet of first) ours.decode(packet); // VPs and paths are known from here on
  const ourResults: number[][][] = [];
  for (const packet of first)
    ours.decode(packet, (frames) => {
      for (let i = 0; i < frames.count; i++) ourResults.push(idsOf(frames, i));
    });
  const plainResults = first.flat().map((frame) => {
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
  mustEqual('decoded messages', renumberedAll(ourResults), renumberedAll(plainResults));

  ours.doubted = 0;
  const round = (decode: (packet: readonly Buffer[]) => void) => async (number: number) => {
    const packets = inPackets(block.payloads(number + 1));
    return (
      (await costOf(() => {
        for (const packet of packets) decode(packet);
      })) / block.count
    );
  };
  const contestants = {
    ours: round((packet) => ours.decode(packet)),
    plain: round((packet) => {
      for (const frame of packet) plain.decode(frame);
    }),
  };
  const measured = await interleaved(contestants, ROUNDS, progress);
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
