/** Contestants that each take in the same stream, every one in a process of its own, measured in turn. */

import { Child } from './child.ts';
import type { BenchContext } from './claim.ts';
import type { FeederInput, FeederReady } from './feeder.ts';
import type { ContestantInput, Intake } from './ingest-contestant.ts';
import type { StreamShape } from './messages.ts';
import { prefixesOf, prefixTexts } from './messages.ts';
import { interleaved, type Measured } from './rounds.ts';

const SHAPE: StreamShape = { vps: 1_000, prefixes: 10, origins: 3, messages: 100_000 };
/** Repetitions of the messages a round: long enough that connecting and compiling anew do not count. */
const BLOCKS = 5;
const ROUNDS = 7;

const CONTESTANTS = ['receive', 'exporter', 'naive'] as const;

export interface IngestResult {
  readonly measured: Measured;
  /** What each contestant says of the table after the last round. */
  readonly series: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

let result: Promise<IngestResult> | undefined;

/** Measured once for all claims of a run. Costs are CPU microseconds a message. */
export function ingest(context: BenchContext): Promise<IngestResult> {
  result ??= measure(context);
  return result;
}

async function measure({ progress, recording }: BenchContext): Promise<IngestResult> {
  const feeder = new Child('feeder');
  const children = new Map<string, Child>();
  try {
    const input: FeederInput = { shape: SHAPE, recording };
    const { port, messages, bytes } = await feeder.ask<FeederReady>(input);
    progress(`${messages * BLOCKS} messages of ${Math.round(bytes / messages)} bytes a round`);
    const prefixes = recording === undefined ? prefixTexts(SHAPE.prefixes) : prefixesOf(recording, SHAPE.prefixes);
    for (const name of CONTESTANTS) {
      const child = new Child('ingest-contestant', [name]);
      children.set(name, child);
      await child.ask({ port, prefixes } satisfies ContestantInput);
    }
    const contestants = Object.fromEntries(
      [...children].map(([name, child]) => [
        name,
        async (round: number) => {
          const intake = await child.ask<Intake>({ from: round * BLOCKS, blocks: BLOCKS });
          if (intake.messages !== messages * BLOCKS || intake.bytes !== bytes * BLOCKS)
            throw new Error(`${name} took in ${intake.messages} messages of ${messages * BLOCKS}`);
          return intake.cpuUs / intake.messages;
        },
      ]),
    );
    const measured = await interleaved(contestants, ROUNDS, progress);
    progress(CONTESTANTS.map((name) => `${name} ${measured.median(name).toFixed(3)} us`).join(', '));
    const series: Record<string, Readonly<Record<string, number>>> = {};
    for (const [name, child] of children) series[name] = await child.ask('series');
    return { measured, series };
  } finally {
    await Promise.all([...children.values(), feeder].map((child) => child.stop()));
  }
}
