import { joinSignals } from '../../../http/joined-signal.ts';

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
    // A failure is told when its turn comes; until then nobody listens for it.
    first.catch(() => {});
    return { items, first };
  };
  let current: Begun<Item> | undefined;
  let next = start(0);
  try {
    for (let place = 1; next !== undefined; place++) {
      current = next;
      next = undefined;
      let step = await current.first;
      next = start(place);
      for (; step.done !== true; step = await current.items.next()) yield step.value;
    }
  } finally {
    leaving.abort();
    needed.leave();
    for (const left of [current, next]) void left?.items.return(undefined).catch(() => {});
  }
}

interface Begun<Item> {
  readonly items: AsyncGenerator<Item>;
  readonly first: Promise<IteratorResult<Item>>;
}
