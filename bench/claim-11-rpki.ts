/** Claim 11: validated data of a million VRPs takes little memory, and reading it holds nobody up. */
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { Readable } from 'node:stream';
import type { RpkiPlace } from '../src/rpki/make-sources.ts';
import { Child } from './child.ts';
import { atMost, type BenchContext, type Claim, type Finding, mustEqual } from './claim.ts';
import { median } from './rounds.ts';
import type { RpkiReading } from './rpki-contestant.ts';
import { ASPAS, jsonParts, rtrParts, VRPS } from './rpki-set.ts';

const ROUNDS = 5;
const MOST_BYTES = 40e6;
const MOST_MS = 20;

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** Each round in a process of its own: code that is not compiled yet is what a start has. */
async function read(place: RpkiPlace): Promise<RpkiReading> {
  const child = new Child('rpki-contestant');
  try {
    return await child.ask<RpkiReading>(place);
  } finally {
    await child.stop();
  }
}

async function measure({ progress }: BenchContext): Promise<Finding[]> {
  const [json, rtr] = [jsonParts(), rtrParts()];
  const http = createHttpServer((_, response) => {
    Readable.from(json).pipe(response);
  });
  const cache = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => Readable.from(rtr).pipe(socket, { end: false }));
  });
  const places: Readonly<Record<'JSON' | 'RTR', RpkiPlace>> = {
    JSON: { kind: 'url', url: `http://127.0.0.1:${await portOf(http)}/json`, intervalMs: 3_600_000 },
    RTR: { kind: 'rtr', host: '127.0.0.1', port: await portOf(cache), tls: false },
  };
  const findings: Finding[] = [];
  try {
    for (const name of ['JSON', 'RTR'] as const) {
      const readings: RpkiReading[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const reading = await read(places[name]);
        mustEqual('sets', [reading.vrps, reading.aspas], [VRPS, ASPAS]);
        progress(`${name}: ${Math.round(reading.bytes / 1e5) / 10} MB, ${reading.longestTurnMs.toFixed(1)} ms`);
        readings.push(reading);
      }
      const megabytes = median(readings.map(({ bytes }) => bytes)) / 1e6;
      const longest = median(readings.map(({ longestTurnMs }) => longestTurnMs));
      findings.push(
        atMost(
          `1,000,000 VRPs and ${ASPAS.toLocaleString('en')} ASPAs, all kept, by ${name}: memory`,
          MOST_BYTES / 1e6,
          megabytes,
          'MB',
        ),
        atMost(`longest turn of the event loop while they are read by ${name}`, MOST_MS, longest, 'ms'),
      );
    }
  } finally {
    http.closeAllConnections();
    http.close();
    cache.close();
  }
  return findings;
}

export const claim: Claim = { number: 11, title: 'RPKI', measure };
