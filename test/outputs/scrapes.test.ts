import { describe, expect, it } from 'vitest';
import type { OpenAnswer } from '../../src/outputs/connections.ts';
import {
  FRESH_MS,
  MAX_BODIES,
  MAX_FRESH_BODIES,
  MAX_SCRAPES,
  MAX_SCRAPES_PER_ADDRESS,
  MIN_SCRAPE_MS,
  Scrapes,
} from '../../src/outputs/scrapes.ts';

function world() {
  let nowMs = 0;
  let rendered = 0;
  const released: string[] = [];
  const scrapes = new Scrapes({
    render: async (format) => Buffer.from(`${format} ${++rendered}`),
    compress: async (body) => Buffer.from(`small ${body}`),
    release: (_, body) => released.push(body.toString()),
    elapsed: () => nowMs,
  });
  const reader = (address = 'a') => {
    const callbacks: ((sent: boolean) => void)[] = [];
    const state = { cut: false };
    const end = () => {
      for (const callback of callbacks.splice(0)) callback(true);
    };
    const answer: OpenAnswer = {
      address,
      startedAtMs: nowMs,
      whenOver: (callback) => callbacks.push(callback),
      keepOpen: () => {},
      cut: () => {
        state.cut = true;
        end();
      },
    };
    return { answer, end, state };
  };
  const text = async (answer: OpenAnswer, compressed = false) =>
    (await scrapes.body('text', compressed, answer))?.toString();
  return {
    ...{ scrapes, reader, text, released },
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

describe('a body', () => {
  it('is shared by all who ask while it is written, plain and compressed', async () => {
    const { scrapes, reader } = world();
    const [plain, small, other] = [reader(), reader(), reader()];
    const bodies = await Promise.all([
      scrapes.body('text', false, plain.answer),
      scrapes.body('text', true, small.answer),
      scrapes.body('openmetrics', false, other.answer),
    ]);
    expect(bodies.map(String)).toEqual(['text 1', 'small text 1', 'openmetrics 2']);
  });

  it('is shared while somebody reads it and it is fresh, and made for each scrape otherwise', async () => {
    const { reader, text, pass } = world();
    const [stuck, second] = [reader(), reader()];
    expect(await text(stuck.answer)).toBe('text 1');
    pass(FRESH_MS - 1);
    expect(await text(second.answer)).toBe('text 1');
    pass(1);
    const third = reader();
    expect(await text(third.answer)).toBe('text 2');
    for (const one of [stuck, second, third]) one.end();
    for (let i = 3; i < 6; i++) {
      const alone = reader();
      expect(await text(alone.answer)).toBe(`text ${i}`);
      alone.end();
    }
  });

  it('is shared by those who ask faster than anybody scrapes, while it is fresh', async () => {
    const { reader, text, pass } = world();
    const ask = async (compressed = false) => {
      const one = reader();
      const body = await text(one.answer, compressed);
      one.end();
      return body;
    };
    for (let i = 1; i <= MAX_FRESH_BODIES; i++) expect(await ask()).toBe(`text ${i}`);
    for (let i = 0; i < 100; i++) expect(await ask()).toBe(`text ${MAX_FRESH_BODIES}`);
    expect(await ask(true)).toBe(`small text ${MAX_FRESH_BODIES}`);
    pass(FRESH_MS);
    expect(await ask()).toBe(`text ${MAX_FRESH_BODIES + 1}`);
  });

  it('is given back once it is compressed, unless somebody reads it as it is', async () => {
    const { reader, text, released } = world();
    const small = reader();
    expect(await text(small.answer, true)).toBe('small text 1');
    expect(released).toEqual(['text 1']);
    const plain = reader();
    expect(await text(plain.answer)).toBe('text 2');
    expect(await text(reader().answer, true)).toBe('small text 2');
    expect(released).toEqual(['text 1']);
  });

  it('is no longer held for its readers when there are too many bodies: the oldest ones lose theirs', async () => {
    const { reader, text, pass } = world();
    const readers = [];
    for (let i = 0; i <= MAX_BODIES; i++) {
      const one = reader(`address ${i}`);
      expect(await text(one.answer)).toBe(`text ${i + 1}`);
      readers.push(one);
      pass(FRESH_MS);
    }
    expect(readers.map(({ state }) => state.cut)).toEqual([true, ...Array<boolean>(MAX_BODIES).fill(false)]);
  });

  it('is made again after one that failed', async () => {
    let fails = true;
    const scrapes = new Scrapes({
      render: () => (fails ? Promise.reject(new Error('boom')) : Promise.resolve(Buffer.from('up 1'))),
      compress: async (body) => body,
      release: () => {},
    });
    const { reader } = world();
    const failed = [reader(), reader()].map(({ answer }) => scrapes.body('text', false, answer));
    for (const one of failed) await expect(one).rejects.toThrow('boom');
    fails = false;
    expect(String(await scrapes.body('text', false, reader().answer))).toBe('up 1');
  });
});

describe('too many scrapes', () => {
  it('of one address: a new one takes the place of its oldest, unless all have only begun', async () => {
    const { reader, text, pass } = world();
    const other = reader('other');
    await text(other.answer);
    const stuck = Array.from({ length: MAX_SCRAPES_PER_ADDRESS }, () => reader());
    for (const one of stuck) expect(await text(one.answer)).toBe('text 1');
    expect(await text(reader().answer)).toBeUndefined();
    pass(MIN_SCRAPE_MS);
    expect(await text(reader().answer)).toBe('text 2');
    expect(stuck.map(({ state }) => state.cut).indexOf(false)).toBe(1);
    expect(other.state.cut).toBe(false);
  });

  it('of all: the oldest makes room', async () => {
    const { reader, text, pass } = world();
    const stuck = Array.from({ length: MAX_SCRAPES }, (_, i) => reader(`address ${i}`));
    for (const one of stuck) await text(one.answer);
    expect(await text(reader('new').answer)).toBeUndefined();
    pass(MIN_SCRAPE_MS);
    expect(await text(reader('new').answer)).toBe('text 2');
    expect(stuck[0].state.cut).toBe(true);
    expect(stuck[1].state.cut).toBe(false);
  });
});
