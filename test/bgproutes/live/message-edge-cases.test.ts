/** The cases of edge-cases.jsonl: of the recording when it is there, of an own fixture with the same cases always. */
import { describe, expect, it } from 'vitest';
import { decodeMessage } from '../../../src/bgproutes/live/message.ts';
import { OWN_EDGE_CASES, RECORDED_EDGE_CASES } from '../../support/edge-case-facts.ts';
import { type MessageFacts, messageFacts } from '../../support/message-facts.ts';
import { fixturePath, readLines, recordingPath } from '../../support/recordings.ts';

const NAME = 'edge-cases.jsonl';

function describeCases(title: string, path: string, expected: Readonly<Record<string, MessageFacts>>): void {
  const lines = readLines(path).map((line) => JSON.parse(line) as { case: string; message: unknown });

  describe(title, () => {
    it('has exactly the cases that are known', () => {
      expect(lines.map((line) => line.case).sort()).toEqual(Object.keys(expected).sort());
    });

    it.each(lines.map((line) => [line.case, JSON.stringify(line.message)]))('%s', (name, frame) => {
      const facts = expected[name];
      const decoded = messageFacts(decodeMessage(frame));
      // A case that names no failure has none; one that names an absent upstream must not have one.
      expect(decoded).toMatchObject({ ...(facts.reason === undefined && { failures: [] }), ...defined(facts) });
      for (const [key, value] of Object.entries(facts))
        if (value === undefined) expect(decoded[key as keyof MessageFacts]).toBeUndefined();
      expect(messageFacts(decodeMessage(Buffer.from(frame)))).toEqual(decoded);
    });
  });
}

function defined(facts: MessageFacts): MessageFacts {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}

describeCases('own edge cases', fixturePath(NAME), OWN_EDGE_CASES);
const recorded = recordingPath(NAME);
if (recorded !== undefined) describeCases('recorded edge cases', recorded, RECORDED_EDGE_CASES);
