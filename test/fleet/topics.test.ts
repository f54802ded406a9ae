/** What `fleet check` says of topics. */
import { describe, expect, it } from 'vitest';
import { type FoundTopic, topicProblems } from '../../src/fleet/topics.ts';

const TOPICS = { eventsTopic: 'e', stateTopic: 's', partitions: 8 };
const events: FoundTopic = {
  ...{ name: 'e', partitions: 8, replicas: 3 },
  settings: { 'cleanup.policy': 'delete', 'retention.ms': '86400000', 'max.message.bytes': '1048588' },
};
const state: FoundTopic = { ...events, name: 's', settings: { ...events.settings, 'cleanup.policy': 'compact' } };

describe('topicProblems', () => {
  it('finds nothing in topics as create-topics makes them, nor where events are kept for ever', () => {
    expect(topicProblems([events, state], TOPICS)).toEqual([]);
    expect(
      topicProblems([{ ...events, settings: { ...events.settings, 'retention.ms': '-1' } }, state], TOPICS),
    ).toEqual([]);
  });

  it.each<[string, FoundTopic, FoundTopic, RegExp]>([
    ['missing', { ...events, partitions: 0, settings: {} }, state, /^the topic e is missing/],
    [
      'another number',
      events,
      { ...state, partitions: 9 },
      /^the topic s has 9 partitions, and fleet\.partitions is 8/,
    ],
    [
      'state that is deleted',
      events,
      { ...state, settings: events.settings },
      /^the topic s has cleanup\.policy=delete/,
    ],
    [
      'events that are compacted',
      { ...events, settings: state.settings },
      state,
      /^the topic e has cleanup\.policy=compact/,
    ],
    [
      'events kept for minutes',
      { ...events, settings: { ...events.settings, 'retention.ms': '60000' } },
      state,
      /retention\.ms=60000/,
    ],
    [
      'small records',
      events,
      { ...state, settings: { ...state.settings, 'max.message.bytes': '65536' } },
      /max\.message\.bytes=65536/,
    ],
  ])('%s', (_, first, second, expected) => {
    const problems = topicProblems([first, second], TOPICS);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(expected);
  });

  it('takes zstd for wrong where this Node.js cannot unpack it', () => {
    const packed = { ...events, settings: { ...events.settings, 'compression.type': 'zstd' } };
    expect(topicProblems([packed, state], TOPICS, true)).toEqual([]);
    expect(topicProblems([packed, state], TOPICS, false)).toEqual([
      'the topic e has compression.type=zstd, which needs Node.js 22.15 or later: run that everywhere, or set producer',
    ]);
  });
});
