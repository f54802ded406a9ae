import { joinSignals } from './joined-signal.ts';

/**
 * Several sequences one after the other, of which each is begun as soon as the one before has given its first item: what
 * that one waits for is under way while this one's items are used.
 *
 * @param begin makes a sequence; its signal is aborted with `signal`, and when nobody will read it
 */
export async function* oneAhead<Item>(
  begin: readonly ((signal: AbortSignal) => AsyncGenerator<Item>)[],
  signal: AbortSignal,
): AsyncGenerator<Item> {
  const leaving = new AbortController();
  const needed = joinSignals([signal, leaving.signal]);
  const start = (place: number): Begun<Item> | undefined => {
    if (place >= begin.length) return undefined;
    const items = begin[place](needed.signal);
    const first = items.next();
    // Told in its turn; until then nobody listens.
    first.catch(() => {});
    return { items, first };
  };
  let next = start(0);
  try {
    for (let place = 0; next !== undefined; place++) {
      const { items, first }: Begun<Item> = next;
      next = undefined;
      let step = await first;
      next = start(place + 1);
      for (; step.done !== true; step = await items.next()) yield step.value;
    }
  } finally {
    leaving.abort();
    needed.leave();
    void next?.items.return(undefined).catch(() => {});
  }
}

interface Begun<Item> {
  readonly items: AsyncGenerator<Item>;
  readonly first: Promise<IteratorResult<Item>>;
}
