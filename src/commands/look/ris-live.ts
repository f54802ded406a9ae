/** RIS Live and RIPEstat for the commands. They need no key, and do not disturb a running exporter. */
import { parsePrefix } from '../../bgp/prefix.ts';
import { DEFAULTS } from '../../defaults.ts';
import { ConfigError } from '../../errors.ts';
import { type Arguments, type Flag, UsageError } from '../arguments.ts';
import type { CommandIo } from '../command.ts';
import { noteOfEnd, type OnMessage } from '../terminal/follow.ts';
import { LineOutput } from '../terminal/line-output.ts';
import { note } from '../terminal/note.ts';

/** Who asks, where no configuration says it. */
const CLIENT = 'bgproutes-exporter';

export const RIS_FLAGS: readonly Flag[] = [
  { name: 'source', value: 'SOURCE', help: 'bgproutes, or ris-live, which needs no key [bgproutes].' },
  { name: 'ris-live.url', value: 'URL', help: `RIS Live [${DEFAULTS.risLive.url}].` },
];

/** Whether RIS Live is asked for. */
export function isRisLive(flags: Arguments['flags']): boolean {
  const { source } = flags;
  if (source === undefined || source === 'bgproutes') return false;
  if (source === 'ris-live') return true;
  throw new UsageError(`--source: expected bgproutes or ris-live, got ${JSON.stringify(source)}`);
}

/** Prints what the peers of RIS say about the prefixes, until it is told to stop. */
export async function followRisLive(flags: Arguments['flags'], io: CommandIo, onMessage: OnMessage): Promise<number> {
  const { prefix = [], 'ris-live.url': url } = flags;
  const prefixes = (Array.isArray(prefix) ? prefix : [prefix]).map(String);
  if (prefixes.length === 0) throw new UsageError('no prefix: --source=ris-live needs --prefix=PREFIX');
  for (const text of prefixes)
    if (parsePrefix(text) === undefined)
      throw new UsageError(
        `--prefix: expected a prefix such as 192.0.2.0/24, got ${JSON.stringify(text.slice(0, 60))}`,
      );
  const { RisLiveClient } = await import('../../ris-live/client.ts');
  const client = clientOf(
    () => new RisLiveClient({ client: CLIENT, url: url === undefined ? undefined : String(url) }),
  );
  const output = new LineOutput(io);
  const told = new Set<string>();
  const messages = client.messages({
    prefixes,
    signal: output.signal,
    onEvent: (event) => {
      switch (event.type) {
        case 'connected':
          note(io, `connected to RIS Live; waiting for changes of ${prefixes.join(', ')}`);
          break;
        case 'disconnected':
          if (event.reason !== 'stopped') note(io, noteOfEnd(event.reason, event.detail, true));
          break;
        case 'unreadable':
          if (told.has(event.reason)) break;
          told.add(event.reason);
          note(io, `a message could not be read: ${event.reason}; said once a reason`);
      }
    },
  });
  try {
    for await (const message of messages) await onMessage(message, output);
  } catch (error) {
    if (!output.signal.aborted) throw error;
  } finally {
    output.end();
  }
  return 0;
}

function clientOf<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof TypeError) throw new ConfigError([`--ris-live.url: ${error.message.replace(/^url: /, '')}`]);
    throw error;
  }
}
