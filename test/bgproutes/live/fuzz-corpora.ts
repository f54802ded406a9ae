/** Messages to begin with: the project's own fixtures, and the recordings where they are there. */
import { fixturePath, readLines, recordingPath } from '../../support/recordings.ts';

const RECORDINGS = [
  'tenpfx-telegram-hijack-20260616.jsonl.gz',
  'tenpfx-rrc00-20181218.jsonl.gz',
  'updates-rv-route-views2-20260222T1530.jsonl.gz',
];

export interface FuzzCorpus {
  readonly name: string;
  readonly lines: readonly string[];
}

/** @param most lines of each */
export function fuzzCorpora(most: number): FuzzCorpus[] {
  const edges = readLines(fixturePath('edge-cases.jsonl')).map((line) =>
    JSON.stringify((JSON.parse(line) as { message: unknown }).message),
  );
  // The recording has frames that are none, too; of those the fuzz test makes its own.
  const recording = readLines(fixturePath('recording.jsonl')).filter((line) => line.startsWith('{"record_type"'));
  const own = { name: 'fixtures', lines: [...edges, ...recording].slice(0, most) };
  const recorded = RECORDINGS.flatMap((name) => {
    const path = recordingPath(name);
    return path === undefined ? [] : [{ name, lines: readLines(path).slice(0, most) }];
  });
  return [own, ...recorded];
}
