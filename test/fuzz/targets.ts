/** Every kind of foreign input that is fuzzed. */
import { fuzzDecoders } from '../bgproutes/live/decoder-fuzz.ts';
import { fuzzCorpora } from '../bgproutes/live/fuzz-corpora.ts';
import { API_TARGETS } from './api-answers.ts';
import { BMP_TARGET } from './bmp-records.ts';
import { HTTP_TARGETS } from './http-requests.ts';
import { OTLP_TARGETS } from './otlp-answers.ts';
import { RPKI_TARGETS } from './rpki-sets.ts';
import { SNAPSHOT_TARGET } from './snapshots.ts';
import type { FuzzTarget } from './target.ts';

/** Frames of the live stream, by both decoders, in turn from each corpus. */
const FRAMES: FuzzTarget = {
  name: 'frame',
  share: 195,
  run: async (runs, seed) => {
    const corpora = fuzzCorpora(50_000);
    let readable = 0;
    for (const { lines } of corpora)
      readable += fuzzDecoders({ runs: Math.ceil(runs / corpora.length), seed, corpus: lines }).readable;
    return readable;
  },
};

export const TARGETS: readonly FuzzTarget[] = [
  FRAMES,
  ...API_TARGETS,
  SNAPSHOT_TARGET,
  BMP_TARGET,
  ...OTLP_TARGETS,
  ...HTTP_TARGETS,
  ...RPKI_TARGETS,
];
