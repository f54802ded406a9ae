import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { oneAhead } from '../../../../src/bgproutes/data-api/seed/one-ahead.ts';
import { idle } from '../../../support/idle.ts';

const { signal } = new AbortController();

/** Sequences whose items come when they are let, and what happened to them. */
function sequences(lengths: readonly number[], failing = -1) {
  const happened: string[] = [];
  const ended: number[] = [];
  const begin = lengths.map(
    (length, place) =>
      async function* (needed: AbortSignal) {
        happened.push(`begin ${place}`);
        needed.addEventListener('abort', () => happened.push(`abort ${place}: ${needed.reason}`));
        await turn();
        if (place === failing) throw new Error(`no answer to ${place}`);
        try {
          for (let i = 0; i < length; i++) yield `${place}.${i}`;
        } finally {
          ended.push(place);
        }
      },
  );
  return { happened, ended, begin };
}

describe('one ahead', () => {
  it('gives all items in order, with sequences that have none', async () => {
    const { begin } = sequences([2, 0, 0, 3, 1, 0]);
    const items: string[] = [];
    for await (const item of oneAhead(begin, signal)) items.push(item);
    expect(items).toEqual(['0.0', '0.1', '3.0', '3.1', '3.2', '4.0']);
    for await (const _ of oneAhead([], signal)) throw new Error('there is nothing');
  });

  it('begins the next as soon as one has given its first item, and no further one', async () => {
    const { begin, happened } = sequences([2, 2, 2]);
    const items = oneAhead(begin, signal);
    await items.next();
    await idle();
    expect(happened).toEqual(['begin 0', 'begin 1']);
    await items.next();
    await idle();
    expect(happened).toEqual(['begin 0', 'begin 1']);
    expect((await items.next()).value).toBe('1.0');
    await idle();
    expect(happened).toEqual(['begin 0', 'begin 1', 'begin 2']);
    await items.return(undefined);
  });

  it('calls off what was begun when nobody reads on', async () => {
    const { begin, happened, ended } = sequences([2, 2, 2]);
    for await (const _ of oneAhead(begin, signal)) break;
    await idle();
    expect(ended.sort()).toEqual([0, 1]);
    expect(happened).toEqual([
      'begin 0',
      'begin 1',
      expect.stringMatching(/^abort 0: AbortError/),
      expect.stringMatching(/^abort 1: AbortError/),
    ]);
  });

  it('tells a failure in its turn, after the items before it', async () => {
    const { begin, happened } = sequences([2, 2, 2], 1);
    const items: string[] = [];
    const reading = async () => {
      for await (const item of oneAhead(begin, signal)) {
        await idle(); // the failure is there long before it is asked for
        items.push(item);
      }
    };
    await expect(reading()).rejects.toThrow('no answer to 1');
    expect(items).toEqual(['0.0', '0.1']);
    expect(happened).not.toContain('begin 2');
  });

  it('hands on the reason of the signal that was given', async () => {
    const leaving = new AbortController();
    const { begin, happened } = sequences([1, 1]);
    const items = oneAhead(begin, leaving.signal);
    await items.next();
    leaving.abort('enough');
    expect(happened.slice(2)).toEqual(['abort 0: enough', 'abort 1: enough']);
    await items.return(undefined);
  });
});
