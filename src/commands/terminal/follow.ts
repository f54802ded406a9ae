/** Reads the live stream for a command until it is told to stop, and says on standard error what happens to the connection. */

import type { LiveMessage } from '../../bgp/live-message.ts';
import type { ClientEvent } from '../../bgproutes/client/events.ts';
import type { CommandIo } from '../command.ts';
import type { Service } from '../service.ts';
import { jsonLine, LineOutput } from './line-output.ts';
import { note } from './note.ts';
import { subscribePatiently } from './patience.ts';

/** Prints what is to be said about a message. It is awaited, so that a slow output slows the stream down. */
export type OnMessage = (message: LiveMessage, output: LineOutput) => Promise<void>;

/**
 * Subscribes to the service's prefixes (without any, what the key has already is read) and hands on every message.
 * @returns the exit code: 0 when stopped, or when nobody reads the output any more; rejects with the client's errors
 */
export async function follow(service: Service, io: CommandIo, onMessage: OnMessage): Promise<number> {
  const { BgproutesLiveClient } = await import('../../bgproutes/client/client.ts');
  const { prefixes, ...options } = service;
  const output = new LineOutput(io);
  const client = new BgproutesLiveClient(options);
  const unreadable = new Set<string>();
  try {
    const { signal } = output;
    if (prefixes.length > 0) await subscribePatiently(io, client, prefixes, { signal });
    for await (const item of client.messages({ signal, events: true })) {
      if (item.type === 'announcement' || item.type === 'withdrawal') {
        await onMessage(item, output);
      } else if (item.type !== 'unreadable') {
        note(io, noteOf(item, prefixes));
      } else if (!unreadable.has(item.reason)) {
        unreadable.add(item.reason);
        const keys = item.keys === undefined ? '' : ` (its keys: ${jsonLine(item.keys)})`;
        note(io, `a message could not be read: ${item.reason}${keys}; said once a reason`);
      }
    }
  } catch (error) {
    if (!output.signal.aborted) throw error;
  } finally {
    output.end();
    await client.close();
  }
  return 0;
}

/** Reasons of attempts that never became a connection. */
const NEVER_OPEN: ReadonlySet<string> = new Set(['connect_failed', 'association_failed']);

function noteOf(event: Exclude<ClientEvent, { readonly type: 'unreadable' }>, prefixes: readonly string[]): string {
  switch (event.type) {
    case 'connected':
      if (event.gapMs !== undefined) {
        return `connected again after ${(event.gapMs / 1000).toFixed(1)} s; what changed meanwhile is not known`;
      }
      return `connected; waiting for changes of ${prefixes.length === 0 ? 'the prefixes that the key has' : prefixes.join(', ')}`;
    case 'disconnected':
      return noteOfEnd(event.reason, event.detail, event.willReconnect);
    case 'dropped':
      return `${event.frames} messages were lost: the output is too slow`;
  }
}

/** One line for a connection that ended; one that never stood was not "disconnected". */
export function noteOfEnd(reason: string, detail: string, willReconnect: boolean): string {
  const what = NEVER_OPEN.has(reason) ? 'could not connect' : 'disconnected';
  return `${what}: ${reason}${detail === '' ? '' : ` (${detail})`}${willReconnect ? '; trying again' : ''}`;
}
