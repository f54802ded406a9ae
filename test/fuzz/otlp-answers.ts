/** Answers of an OTLP collector: they say how many points were refused, in a number that is one, or that they are none. */
import assert from 'node:assert/strict';
import { JsonSerializer } from '../../src/outputs/otlp/encoding/json-serializer.ts';
import { ProtobufSerializer } from '../../src/outputs/otlp/encoding/protobuf-serializer.ts';
import type { Serializer } from '../../src/outputs/otlp/encoding/serializer.ts';
import { mutatorOf } from './mutation.ts';
import { type FuzzTarget, runChecks } from './target.ts';

const JSON_ANSWERS = [
  '{}',
  '{"partialSuccess":{}}',
  '{"partialSuccess":{"rejectedDataPoints":"5","errorMessage":"no room"}}',
  '{"partialSuccess":{"rejectedDataPoints":5}}',
];
const JSON_WORDS = [
  ...[
    '{',
    '}',
    '[',
    ']',
    '"',
    ':',
    ',',
    'null',
    '-1',
    '1e400',
    '"1e400"',
    '"-7"',
    '"0x10"',
    '9223372036854775807',
    '0.5',
    '[7]',
    'true',
  ],
  ...['"partialSuccess":', '"rejectedDataPoints":', '"errorMessage":', '\\ud800', '\u00ff'],
];
const PROTOBUF_ANSWERS = [
  [],
  [10, 0],
  [10, 2, 8, 5],
  [10, 9, 8, 5, 18, 5, 104, 101, 108, 108, 111],
  [10, 11, 8, 255, 255, 255, 255, 255, 255, 255, 255, 127, 18, 0],
];
const PROTOBUF_WORDS = [
  '\n',
  '\b',
  '\u0012',
  '\u00ff\u00ff\u00ff\u00ff\u000f',
  '\u0080\u0080\u0080\u0080\u0080\u0080\u0080\u0080\u0080\u0001',
  '\u000b',
  '\u000c',
  '\u0000',
  '\u0001',
  '\u0002\u0008\u0005',
];

function target(name: string, serializer: Serializer, corpus: readonly Buffer[], words: readonly string[]): FuzzTarget {
  return {
    name,
    share: 150,
    run: (runs, seed) =>
      runChecks(runs, mutatorOf(corpus, words, seed).next, (input) => {
        let said: ReturnType<Serializer['partialSuccess']>;
        try {
          said = serializer.partialSuccess(input);
        } catch (error) {
          assert.ok(error instanceof Error); // told as an answer that is none
          return false;
        }
        if (said === undefined) return true;
        assert.ok(Number.isInteger(said.rejectedPoints) && said.rejectedPoints >= 0, `${said.rejectedPoints} points`);
        assert.equal(typeof said.message, 'string');
        return true;
      }),
  };
}

export const OTLP_TARGETS: readonly FuzzTarget[] = [
  target(
    'OTLP answer, JSON',
    new JsonSerializer(),
    JSON_ANSWERS.map((text) => Buffer.from(text)),
    JSON_WORDS,
  ),
  target(
    'OTLP answer, protobuf',
    new ProtobufSerializer(),
    PROTOBUF_ANSWERS.map((bytes) => Buffer.from(bytes)),
    PROTOBUF_WORDS,
  ),
];
