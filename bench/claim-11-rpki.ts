/** Claim 11: validated data of a million VRPs takes little memory, and neither reading nor using it holds anybody up. */
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { Readable } from 'node:stream';
import type { RpkiSourceConfig } from '../src/rpki/source-config.ts';
import type { AspaShape, Judging } from './aspa-contestant.ts';
import { Child } from './child.ts';
import { atMost, type BenchContext, type Claim, type Finding, mustEqual } from './claim.ts';
import { median } from './rounds.ts';
import type { RpkiReading } from './rpki-contestant.ts';
import { ASPAS, jsonParts, rtrParts, VRPS } from './rpki-set.ts';

const ROUNDS = 5;
const MOST_BYTES = 40e6;
const MOST_MS = 20;

/** A slice of 4 ms, what a step of it takes longer, and what else is done in the turn. */
const MOST_SLICE_MS = 10;
/** What a table has and twenty times what the RPKI of 2026 had, and the bound of customers. */
const ASPA_SHAPES: readonly AspaShape[] = [
  { paths: 60_000, customers: 20_000, changed: 20_000 },
  { paths: 60_000, customers: 100_000, changed: 20 },
];

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** Each round in a process of its own: code that is not compiled yet is what a start has. */
async function read(place: RpkiSourceConfig): Promise<RpkiReading> {
  const child = new Child('rpki-contestant');
  try {
    return await child.ask<RpkiReading>(place);
  } finally {
    await child.stop();
  }
}

async function judge(shape: AspaShape): Promise<Judging> {
  const child = new Child('aspa-contestant');
  try {
    return await child.ask<Judging>(shape);
  } finally {
    await child.stop();
  }
}

async function judging({ progress }: BenchContext): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const shape of ASPA_SHAPES) {
    const { paths, customers, changed } = shape;
    const judged: Judging[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const one = await judge(shape);
      if (one.changed === 0) throw new Error('no verdict has changed');
      progress(
        `${one.changed} verdicts: ${one.wholeMs.toFixed(0)} ms, longest turn ${one.longestTurnMs.toFixed(1)} ms`,
      );
      judged.push(one);
    }
    const longest = median(judged.map(({ longestTurnMs }) => longestTurnMs));
    const name = [paths, customers, changed].map((count) => count.toLocaleString('en'));
    findings.push(
      atMost(
        `longest turn while ${name[0]} paths follow ${name[1]} ASPAs of which ${name[2]} have changed`,
        MOST_SLICE_MS,
        longest,
        'ms',
      ),
    );
  }
  return findings;
}

async function measure(context: BenchContext): Promise<Finding[]> {
  const { progress } = context;
  const [json, rtr] = [jsonParts(), rtrParts()];
  const http = createHttpServer((_, response) => {
    Readable.from(json).pipe(response);
  });
  const cache = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => Readable.from(rtr).pipe(socket, { end: false }));
  });
  const places: Readonly<Record<'JSON' | 'RTR', RpkiSourceConfig>> = {
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
  return [...findings, ...(await judging(context))];
}

export const claim: Claim = { number: 11, title: 'RPKI', measure };
