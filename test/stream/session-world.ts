/** A session to a real server, with short times. */
import { afterEach } from 'vitest';
import { refusalText } from '../../src/bgproutes/live/association/refusal.ts';
import { redactor } from '../../src/secrets/redaction.ts';
import type { DisconnectReason } from '../../src/stream/source.ts';
import { systemTimers } from '../../src/stream/timers.ts';
import { type SessionOptions, type SessionSettings, WebSocketSession } from '../../src/stream/websocket-session.ts';
import { RecordingLogger } from './recording-logger.ts';
import type { TestServer } from './test-servers.ts';

export const KEY = 'KEY-0123456789';

/** Short times, so that a test takes milliseconds; the waits are far enough apart to tell one from the other. */
export const QUICK: Partial<SessionSettings> = {
  handshakeTimeoutMs: 15_000,
  settleMs: 20,
  pingIntervalMs: 20,
  pingTimeoutMs: 15_000,
  maxFrameBytes: 1024,
  backoff: { baseMs: 5, maxMs: 40 },
  refusalBackoff: { floorMs: 200, baseMs: 400, maxMs: 800 },
  stableAfterMs: 10_000,
};

export interface Seen {
  readonly session: WebSocketSession;
  readonly log: RecordingLogger;
  readonly frames: Buffer[];
  /** `connected`, or the reason and detail of a disconnect, in order. */
  readonly events: string[];
  readonly reasons: DisconnectReason[];
  /** How often a connection opened, whatever came of it. */
  readonly opened: () => number;
}

export const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export async function serve<S extends TestServer>(server: Promise<S>): Promise<S> {
  const started = await server;
  cleanups.push(() => started.close());
  return started;
}

export function open(url: URL, settings: Partial<SessionSettings> = {}, options: Partial<SessionOptions> = {}): Seen {
  const log = new RecordingLogger();
  const frames: Buffer[] = [];
  const events: string[] = [];
  const reasons: DisconnectReason[] = [];
  let opened = 0;
  const session = new WebSocketSession(
    {
      url,
      settings: { ...QUICK, ...settings },
      timers: { ...systemTimers, random: () => 0.999_999_9 },
      refusalOf: refusalText,
      redactText: redactor([KEY]),
      log,
      ...options,
    },
    {
      opened: () => {
        opened++;
      },
      connected: () => events.push('connected'),
      frames: (packet) => void frames.push(...packet),
      disconnected: (reason, _atMs, detail) => {
        reasons.push(reason);
        events.push(detail === '' ? reason : `${reason}: ${detail}`);
      },
    },
  );
  cleanups.push(() => session.stop());
  session.start();
  return { session, log, frames, events, reasons, opened: () => opened };
}
