import { describe, expect, it } from 'vitest';
import type { OpenAnswer } from '../../src/outputs/connections.ts';
import { MAX_PAGES, MAX_PAGES_PER_ADDRESS, PageBodies } from '../../src/outputs/page-bodies.ts';
import { FRESH_MS } from '../../src/outputs/scrapes.ts';

function world(maxBytes = 100) {
  let nowMs = 0;
  let made = 0;
  const bodies = new PageBodies({ maxBytes, elapsed: () => nowMs });
  const reader = (address = 'a') => {
    const callbacks: ((sent: boolean) => void)[] = [];
    const state = { cut: '' };
    const end = () => {
      for (const callback of callbacks.splice(0)) callback(true);
    };
    const answer: OpenAnswer = {
      address,
      startedAtMs: nowMs,
      whenOver: (callback) => callbacks.push(callback),
      keepOpen: () => {},
      cut: (reason) => {
        state.cut = reason;
      },
    };
    return { answer, end, state };
  };
  const ask = async (key: string, { answer }: { readonly answer: OpenAnswer }) =>
    (await bodies.body(key, answer, () => `${key} ${++made}`))?.toString();
  return {
    ...{ bodies, reader, ask },
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

describe('a body of a page', () => {
  it('is shared by all who ask while it is made, and made for each question of another', async () => {
    const { reader, ask } = world();
    const texts = await Promise.all([ask('x', reader()), ask('x', reader()), ask('y', reader())]);
    expect(texts).toEqual(['x 1', 'x 1', 'y 2']);
  });

  it('is shared while somebody reads it and it is fresh, and made again otherwise', async () => {
    const { reader, ask, pass } = world();
    const [stuck, second, third] = [reader(), reader(), reader()];
    expect(await ask('x', stuck)).toBe('x 1');
    pass(FRESH_MS - 1);
    expect(await ask('x', second)).toBe('x 1');
    pass(1);
    expect(await ask('x', third)).toBe('x 2');
    for (const { end } of [stuck, second, third]) end();
    expect(await ask('x', reader())).toBe('x 3');
  });

  it('is made in its turn, one after the other, and not at all when nobody waits for it any more', async () => {
    const { bodies, reader } = world();
    const begun: string[] = [];
    let finish: (text: string) => void = () => {};
    const slow = bodies.body('slow', reader().answer, () => {
      begun.push('slow');
      return new Promise<string>((resolve) => {
        finish = resolve;
      });
    });
    const left = reader();
    const unread = bodies.body('left', left.answer, () => {
      begun.push('left');
      return '';
    });
    const next = bodies.body('next', reader().answer, () => {
      begun.push('next');
      return 'n';
    });
    left.end();
    while (begun.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(begun).toEqual(['slow']);
    finish('s');
    expect(String(await next)).toBe('n');
    expect([String(await slow), String(await unread), begun]).toEqual(['s', '', ['slow', 'next']]);
  });

  it('that cannot be made is told to whoever asked, and the next is made', async () => {
    const { bodies, reader } = world();
    const [one, other, later] = [reader(), reader(), reader()];
    const fail = () => {
      throw new Error('no');
    };
    const asked = [one, other].map(({ answer }) => bodies.body('x', answer, fail));
    for (const each of asked) await expect(each).rejects.toThrow('no');
    one.end();
    other.end();
    expect(String(await bodies.body('x', later.answer, () => 'yes'))).toBe('yes');
  });

  it('that is too much with the others costs the readers of the oldest their connection', async () => {
    const { bodies, reader } = world(100);
    const [first, second, third] = [reader(), reader(), reader()];
    const text = (length: number) => () => 'x'.repeat(length);
    await bodies.body('first', first.answer, text(60));
    await bodies.body('second', second.answer, text(40));
    expect([first.state.cut, second.state.cut]).toEqual(['', '']);
    await bodies.body('third', third.answer, text(30));
    expect([first.state.cut, second.state.cut, third.state.cut]).toEqual(['page_limit', '', '']);
    first.end();
    await bodies.body('fourth', reader().answer, text(500));
    expect([second.state.cut, third.state.cut]).toEqual(['page_limit', 'page_limit']);
  });
});

describe('answers under way', () => {
  it('have a bound for each address and one for all; one that has only begun is not ended for another', async () => {
    const { reader, ask, pass } = world();
    const ofOne = Array.from({ length: MAX_PAGES_PER_ADDRESS }, () => reader('one'));
    for (const each of ofOne) await ask('x', each);
    expect(await ask('x', reader('one'))).toBeUndefined();
    const others = Array.from({ length: MAX_PAGES - MAX_PAGES_PER_ADDRESS }, (_, i) => reader(`other ${i}`));
    for (const each of others) await ask('x', each);
    expect(await ask('x', reader('another'))).toBeUndefined();
    pass(1_000);
    expect(await ask('x', reader('another'))).toBe('x 2');
    expect(await ask('x', reader('one'))).toBe('x 2');
    expect(ofOne.map(({ state }) => state.cut).slice(0, 3)).toEqual(['page_limit', 'page_limit', '']);
  });
});
