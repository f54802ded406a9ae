/** Says what a command waits for when it takes long: silence looks like a fault. */

import type { BgproutesLiveClient, SubscribeOptions } from '../../bgproutes/client/client.ts';
import type { AskedService } from '../../bgproutes/live/association/claim.ts';
import type { CommandIo } from '../command.ts';
import { note } from './note.ts';

/** How long a command may wait in silence before it tells for what, ms. */
const FIRST_NOTE_MS = 2_000;
const NEXT_NOTE_MS = 10_000;

export const VP_LIST = "the Data API's list of vantage points";

/** What a subscription waits for, by the service that it asks. */
export const SUBSCRIPTION = {
  stream: 'the live stream to say whether another session uses the key',
  live_manager: 'the Live Manager API to associate the prefixes with the key',
} as const;

/**
 * Runs `work`, and says on standard error what it waits for: after two seconds, and every ten from then on.
 * @param what such as `the Data API`, or what makes it at that moment
 */
export async function patiently<T>(
  io: Pick<CommandIo, 'stderr'>,
  what: string | (() => string),
  work: () => Promise<T>,
): Promise<T> {
  const startedAtMs = performance.now();
  const tell = (): void => {
    const seconds = Math.round((performance.now() - startedAtMs) / 1000);
    note(io, `still waiting for ${typeof what === 'string' ? what : what()} (${seconds} s)`);
    timer = setTimeout(tell, NEXT_NOTE_MS);
  };
  let timer = setTimeout(tell, FIRST_NOTE_MS);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}

/** Subscribes, and says which service is waited for when it takes long. */
export async function subscribePatiently(
  io: Pick<CommandIo, 'stderr'>,
  client: BgproutesLiveClient,
  prefixes: readonly string[],
  options: SubscribeOptions,
): Promise<void> {
  let asked: AskedService = 'stream';
  const onAsk = (service: AskedService): void => {
    asked = service;
  };
  await patiently(
    io,
    () => SUBSCRIPTION[asked],
    () => client.subscribe(prefixes, { ...options, onAsk }),
  );
}
