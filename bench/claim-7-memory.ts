/** Claim 7: a route takes few bytes, and far fewer than in a Map of Maps of objects. */
import { Child } from './child.ts';
import { atLeast, atMost, type BenchContext, type Claim, type Finding, mustEqual } from './claim.ts';
import type { Memory } from './memory-contestant.ts';

/** Ten origins of a hundred prefixes each; every VP has two paths to each of them: 100,000 distinct paths. */
const SHAPE = { vps: 5_000, prefixes: 1_000, origins: 10 };
/** All of them as objects would not fit in the memory of a small machine; what a route takes does not depend on it. */
const PLAIN_SHARE = 10;

async function fill(name: 'ours' | 'plain', shape: typeof SHAPE): Promise<Memory> {
  const child = new Child('memory-contestant', [name], ['--max-old-space-size=8192']);
  try {
    return await child.ask<Memory>(shape);
  } finally {
    await child.stop();
  }
}

async function measure({ progress }: BenchContext): Promise<Finding[]> {
  // Small tables of both hold the same; so do the large ones then, which are made in the same way.
  const small = { vps: 50, prefixes: 100, origins: 10 };
  mustEqual('tables', (await fill('ours', small)).origins, (await fill('plain', small)).origins);
  const ours = await fill('ours', SHAPE);
  const plain = await fill('plain', { ...SHAPE, prefixes: SHAPE.prefixes / PLAIN_SHARE });
  const ourBytes = ours.bytes / ours.routes;
  const plainBytes = plain.bytes / plain.routes;
  progress(`${ours.routes} routes of ${ourBytes.toFixed(1)} bytes; ${plain.routes} of ${plainBytes.toFixed(1)} bytes`);
  return [
    atMost('memory of a route at 5,000 VPs and 1,000 prefixes, paths and totals included', 24, ourBytes, 'bytes'),
    atLeast('memory of a route in a Map of Maps of objects is larger', 10, plainBytes / ourBytes),
  ];
}

export const claim: Claim = { number: 7, title: 'memory', measure };
