/** Contestants that each take in the same stream, every one in a process of its own, measured in turn. */

import { Child } from './child.ts';
import type { BenchContext } from './claim.ts';
import type { FeederInput, FeederReady } from './feeder.ts';
import type { ContestantInput, Intake } from './ingest-contestant.ts';
import type { StreamShape } from './messages.ts';
import { prefixesOf, prefixTexts } from './messages.ts';
import { interleaved, type Measured } from './rounds.ts';

const SHAPE: StreamShape = { vps: 1_000, prefixes: 10, origins: 3, messages: 100_000 };
const ROUNDS = 9;

export type ContestantName = 'receive' | 'exporter' | 'naive';

export interface IngestResult {
  readonly measured: Measured;
  /** What each contestant says of the table after the last round. */
  readonly series: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** Costs are CPU microseconds a message. */
export async function ingest(
  names: readonly ContestantName[],
  { progress, recording }: BenchContext,
): Promise<IngestResult> {
  const feeder = new Child('feeder');
  const children = new Map<string, Child>();
  try {
    const input: FeederInput = { shape: SHAPE, recording };
    const { port, messages, bytes } = await feeder.ask<FeederReady>(input);
    progress(`${messages} messages of ${Math.round(bytes / messages)} bytes a round`);
    const prefixes = recording === undefined ? prefixTexts(SHAPE.prefixes) : prefixesOf(recording, SHAPE.prefixes);
    for (const name of names) {
      const child = new Child('ingest-contestant', [name]);
      children.set(name, child);
      await child.ask({ port, prefixes } satisfies ContestantInput);
    }
    const contestants = Object.fromEntries(
      [...children].map(([name, child]) => [
        name,
        async (round: number) => {
          const intake = await child.ask<Intake>({ from: round });
          if (intake.messages !== messages || intake.bytes !== bytes)
            throw new Error(`${name} took in ${intake.messages} messages of ${messages}`);
          return intake.cpuUs / messages;
        },
      ]),
    );
    const measured = await interleaved(contestants, ROUNDS, progress);
    progress(names.map((name) => `${name} ${measured.median(name).toFixed(3)} us`).join(', '));
    const series: Record<string, Readonly<Record<string, number>>> = {};
    for (const [name, child] of children) series[name] = await child.ask('series');
    return { measured, series };
  } finally {
    await Promise.all([...children.values(), feeder].map((child) => child.stop()));
  }
}
