/**
 * A process of its own that stands in for the stream: whoever connects gets the same messages as fast as the socket takes
 * them, from frames that were made beforehand. It answers the Live Manager API too, with yes.
 *
 * `/?…&from=R&blocks=N` asks for N repetitions of the block beginning with the R-th; then the connection is closed. Without
 * `blocks` it goes on for ever. It can be told to send so many messages a second, and no more.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { MessageBlock, prefixesOf, type StreamShape } from './messages.ts';

const WRITE_BYTES = 256 * 1024;
const LATE_MS = 200;
const CLOSE_FRAME = Buffer.from([0x88, 0x02, 0x03, 0xe8]); // 1000, normal closure

export interface FeederInput {
  readonly shape: StreamShape;
  readonly recording: string | undefined;
}

export interface FeederReady {
  readonly port: number;
  readonly messages: number;
  readonly bytes: number;
}

export interface Pace {
  /** Infinity: as many as the socket takes. */
  readonly messagesPerSecond: number;
}

let messagesPerSecond = Number.POSITIVE_INFINITY;

process.on('message', (question: FeederInput | Pace) => {
  if ('shape' in question) begin(question);
  else {
    ({ messagesPerSecond } = question);
    process.send?.(question);
  }
});
process.once('disconnect', () => process.exit(0));

function begin({ shape, recording }: FeederInput): void {
  const block =
    recording === undefined
      ? MessageBlock.make(shape)
      : MessageBlock.fromRecording(recording, shape.messages, prefixesOf(recording, shape.prefixes));
  // The prefixes to associate come in the URL, which is a header to Node.
  const server = createServer({ maxHeaderSize: 1024 * 1024 }, (_, response) => response.end('ok'));
  server.on('upgrade', (request, socket) => {
    const { searchParams } = new URL(request.url ?? '/', 'ws://feeder');
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    const from = Number(searchParams.get('from') ?? 0);
    const parts = partsOf(block, from, Number(searchParams.get('blocks') ?? Number.POSITIVE_INFINITY));
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    socket.on('error', () => {}); // a client that leaves early ends the loop below
    socket.resume();
    void send(socket, parts, block.payloadBytes / block.count);
  });
  server.listen(0, '127.0.0.1', () => {
    const ready: FeederReady = {
      port: (server.address() as AddressInfo).port,
      messages: block.count,
      bytes: block.payloadBytes,
    };
    process.send?.(ready);
  });
}

/**
 * A number of repetitions is made beforehand, so that nothing but the socket keeps a contestant waiting, nor shares its
 * core; of those without end each part is made while the one before is taken.
 */
function partsOf(block: MessageBlock, from: number, blocks: number): Iterable<Buffer> {
  if (Number.isFinite(blocks)) {
    return Array.from({ length: blocks }, (_, i) => [...block.parts(from + i, WRITE_BYTES)]).flat();
  }
  return (function* () {
    for (let repetition = from; ; repetition++) yield* block.parts(repetition, WRITE_BYTES);
  })();
}

/** @param messageBytes of a message, on average */
async function send(socket: Duplex, parts: Iterable<Buffer>, messageBytes: number): Promise<void> {
  /** When the next part is due. */
  let dueMs = 0;
  for (const frames of parts) {
    if (socket.destroyed) return;
    if (!socket.write(frames)) await drained(socket);
    const nowMs = performance.now();
    // What was late is not caught up in one go.
    dueMs = Math.max(dueMs, nowMs - LATE_MS) + (1_000 * frames.length) / messageBytes / messagesPerSecond;
    if (dueMs > nowMs) await sleep(dueMs - nowMs);
  }
  // The connection too: a client would wait half a minute for its end.
  socket.end(CLOSE_FRAME);
}

/** Resolves when the client has taken what was written, or is gone. */
function drained(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}
