/** The services that an exporter asks, and an OTLP collector, on one loopback port, of which the answers of each can be replaced by hostile ones. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

export type Respond = (response: ServerResponse, request: IncomingMessage) => void;

/** Only what is given is hostile. */
export interface HostileAnswers {
  readonly list?: Respond;
  readonly rib?: Respond;
  readonly updates?: Respond;
  readonly collector?: Respond;
  readonly ripestat?: Respond;
  readonly vrps?: Respond;
  /** Frames of the live stream, one after the other, as fast as they are taken. */
  readonly frames?: () => string;
}

export interface HostileServices {
  /** `host:port`. */
  readonly address: string;
  /** How many requests got a hostile answer. */
  readonly attacked: () => number;
  close(): void;
}

export const VP_COUNT = 2_000;

const envelope = (data: object) => JSON.stringify({ seconds: 0.01, bytes: 2, info: {}, data });

const HONEST_LIST = envelope({
  bgp: Array.from({ length: VP_COUNT }, (_, i) => ({
    ...{ id: i, asn: 60_000 + i, ip: `10.0.${i >> 8}.${i & 255}`, source: 'ris', status: 'up' },
    ...{ rib_size_v4: 900_000, rib_size_v6: 200_000 },
  })),
  bmp: [],
});

export async function startHostileServices(answers: HostileAnswers): Promise<HostileServices> {
  let attacked = 0;
  const honest = (body: string) => (response: ServerResponse) => void response.end(body);
  const respondTo = (path: string): Respond => {
    const hostile = {
      vantage_points: answers.list,
      rib: answers.rib,
      updates: answers.updates,
      metrics: answers.collector,
      'data.json': answers.ripestat,
      'vrps.json': answers.vrps,
    };
    const name = (path.split('/').at(-1) ?? '') as keyof typeof hostile;
    const chosen = hostile[name];
    if (chosen !== undefined) {
      attacked++;
      return chosen;
    }
    return honest(name === 'vantage_points' ? HONEST_LIST : name in hostile ? envelope({ bgp: {}, bmp: {} }) : 'OK');
  };
  const server = createServer((request, response) => {
    request.resume();
    response.on('error', () => {});
    request.on('end', () => respondTo(new URL(request.url ?? '/', 'http://services').pathname)(response, request));
  });
  const sockets = new WebSocketServer({ server });
  const { frames } = answers;
  // RIS Live is asked by its connection, and says yes.
  sockets.on('connection', (socket) => {
    socket.on('message', () => socket.send('{"type":"ris_subscribe_ok","data":{}}'));
  });
  if (frames !== undefined)
    sockets.on('connection', (socket) =>
      flood(socket, () => {
        attacked++;
        return frames();
      }),
    );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    attacked: () => attacked,
    close: () => {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Bytes that may wait to be taken. */
const AHEAD_BYTES = 2 * 1024 * 1024;
/** How long frames are made in one turn, ms, and how often: the probes of this process need the rest. */
const TURN_MS = 4;
const EVERY_MS = 8;

function flood(socket: WebSocket, frame: () => string): void {
  socket.on('error', () => {});
  const more = () => {
    const untilMs = performance.now() + TURN_MS;
    const wants = () => socket.readyState === socket.OPEN && socket.bufferedAmount < AHEAD_BYTES;
    while (wants() && performance.now() < untilMs) socket.send(frame());
  };
  const timer = setInterval(more, EVERY_MS);
  socket.on('close', () => clearInterval(timer));
}
