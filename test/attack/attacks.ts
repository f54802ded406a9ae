/** What broken or hostile neighbours do, one of each kind. Loopback only, bounded in time; sizes are those before compression. */
import { setMaxListeners } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { HostileAnswers, Respond } from './hostile-services.ts';
import { VP_COUNT } from './hostile-services.ts';

export interface Attack {
  readonly name: string;
  readonly about: string;
  /** Answers of the services, for a body of about so many bytes. */
  readonly answers?: (bytes: number) => HostileAnswers;
  /** What clients do to the exporter; ends with the signal. */
  readonly clients?: (port: number, signal: AbortSignal) => void;
}

const zipped = (body: string): Respond => {
  const bytes = gzipSync(body);
  return (response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(bytes);
};

const LIST = '{"data":{"bgp":[';

/** Rows for every VP with prefixes that nobody asked for: all of it is parsed and looked at, nothing is taken. */
function junkRows(bytes: number, row: (number: number) => string, open: string, close: string): string {
  const perVp = Math.floor(bytes / row(0).length / VP_COUNT);
  const vps = Array.from({ length: VP_COUNT }, (_, vp) => {
    const rows = Array.from({ length: perVp }, (_, i) => row(vp * perVp + i));
    return `"${vp}":${open}${rows.join(',')}${close}`;
  });
  return `{"data":{"bgp":{${vps.join(',')}}}}`;
}

const number = (i: number) => `10.${(i >> 12) & 255}.${(i >> 4) & 255}.${(i & 15) << 4}/28`;

export const ATTACKS: readonly Attack[] = [
  { name: 'none', about: 'what an exporter in peace costs on this machine' },
  {
    name: 'brackets',
    about: 'the list of vantage points is empty lists, 1,000 to a byte of gzip',
    answers: (bytes) => ({ list: zipped(LIST + '[],'.repeat(bytes / 3)) }),
  },
  {
    name: 'nesting',
    about: 'the list of vantage points is nested as deep as it is long',
    answers: (bytes) => ({ list: zipped(LIST + '['.repeat(bytes / 2) + ']'.repeat(bytes / 2)) }),
  },
  {
    name: 'junk rows',
    about: 'RIB and updates are as large as is allowed, and hold nothing that was asked for',
    answers: () => ({
      rib: zipped(junkRows(2_000_000, (i) => `"${number(i)}":["64500 ${i}","",null,null,-1]`, '{', '}')),
      updates: zipped(junkRows(2_000_000, (i) => `[1,"A","${number(i)}","64500 ${i}","",null,null,-1]`, '[', ']')),
    }),
  },
  {
    name: 'huge rows',
    about: 'RIB and updates are larger than is allowed, however few are asked for',
    answers: (bytes) => ({
      rib: zipped(junkRows(bytes / 4, (i) => `"${number(i)}":["64500 ${i}","",null,null,-1]`, '{', '}')),
      updates: zipped(junkRows(bytes / 4, (i) => `[1,"A","${number(i)}","64500 ${i}","",null,null,-1]`, '[', ']')),
    }),
  },
  {
    name: 'dripping',
    about: 'every answer of the Data API comes byte by byte and never ends',
    answers: () => ({ list: drip }),
  },
  {
    name: 'deaf clients',
    about: '40 clients of another address ask 16 times for the metrics and read nothing',
    clients: (port, signal) => {
      setMaxListeners(0, signal);
      const asked = 'GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'.repeat(16);
      const open = () => {
        const socket = connect({ host: '127.0.0.1', port, localAddress: '127.0.0.2' }, () => socket.write(asked));
        socket.on('error', () => {});
        socket.on('close', () => {
          if (!signal.aborted) setTimeout(open, 50);
        });
        signal.addEventListener('abort', () => socket.destroy());
      };
      for (let i = 0; i < 40; i++) open();
    },
  },
  {
    name: 'collector',
    about: 'the OTLP collector answers each export by gzip of nested JSON, or by another protocol',
    answers: (bytes) => {
      const nested = zipped(`{"partialSuccess":${'['.repeat(bytes)}`);
      let count = 0;
      return {
        collector: (response, request) => {
          if (count++ % 2 === 0) nested(response, request);
          else request.socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n');
        },
      };
    },
  },
];

function drip(response: Parameters<Respond>[0]): void {
  response.writeHead(200);
  response.write('{"data":{"bgp":[');
  const timer = setInterval(() => response.write(' '), 20);
  response.on('close', () => clearInterval(timer));
}
