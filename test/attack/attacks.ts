/** What broken or hostile neighbours do, one of each kind. Loopback only, bounded in time; sizes are those before compression. */
import { setMaxListeners } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { HostileAnswers, Respond } from './hostile-services.ts';
import { VP_COUNT } from './hostile-services.ts';

export interface Attack {
  readonly name: string;
  readonly about: string;
  /** Answers of the services, for a body of about so many bytes. */
  readonly answers?: (bytes: number) => HostileAnswers;
  /** Further arguments of the exporter. @param address of the services @param folder for files */
  readonly args?: (address: string, folder: string) => readonly string[];
  /** What clients do to the exporter; ends with the signal. */
  readonly clients?: (port: number, signal: AbortSignal) => void;
}

const zipped = (body: string): Respond => {
  const bytes = gzipSync(body);
  return (response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(bytes);
};

/** But for its last AS, of five digits. */
const LONG_PATH = '4200000000 '.repeat(16_343);
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
    name: 'long paths',
    about: 'each vantage point announces the longest path that BGP can carry, each time another',
    answers: () => {
      let i = 0;
      return {
        frames: () => frame(i, { prefixes: '192.0.2.0/24', 'as-path': `${LONG_PATH}${10_000 + (i++ % 80_000)}` }),
      };
    },
  },
  {
    name: 'long lists',
    about: 'messages of 13,000 more-specifics, announced or withdrawn',
    answers: () => {
      let i = 0;
      const list = (from: number) =>
        Array.from({ length: 13_000 }, (_, k) => {
          const n = from + k;
          return `100.${64 + (n >> 10)}.${(n >> 2) & 255}.${(n & 3) << 6}/26`;
        }).join();
      const lists = [0, 13_000, 26_000].map(list);
      return {
        frames: () =>
          frame(i, i++ % 2 === 0 ? { withdraws: lists[i % 3] } : { prefixes: lists[i % 3], 'as-path': '64501 64500' }),
      };
    },
  },
  {
    name: 'held frames',
    about:
      'the Data API never answers about updates, so that frames are held; the general decoder must read each of them',
    answers: () => {
      let i = 0;
      return {
        updates: drip,
        frames: () => frame(i, { x: 1, prefixes: '192.0.2.0/24', 'as-path': `64501 ${i++ % 4_000} 64500` }),
      };
    },
  },
  {
    name: 'tiny frames',
    about: 'frames that are no JSON, thousands to a packet',
    answers: () => ({ frames: () => '{' }),
  },
  {
    name: 'dripping',
    about: 'every answer of the Data API comes byte by byte and never ends',
    answers: () => ({ list: drip }),
  },
  {
    name: 'deaf clients',
    about: '40 clients of another address ask 16 times for the metrics and read nothing',
    clients: clientsOf(40, '127.0.0.2', 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(16)),
  },
  {
    name: 'half requests',
    about: '600 connections of another address with half a request each',
    clients: clientsOf(600, '127.0.0.2', 'GET /metrics HTTP/1.1\r\nHost: x\r\nX: '),
  },
  {
    name: 'pipelines',
    about: '8 clients of this machine send 500 reloads and scrapes at once, and again',
    clients: clientsOf(
      8,
      '127.0.0.1',
      'POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\nGET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(
        250,
      ),
    ),
  },
  {
    name: 'page',
    about:
      'of 3 addresses 50 clients each ask 16 times for pages, lists and the runbook, and read nothing; others listen',
    answers: () => {
      let i = 0;
      return {
        frames: () =>
          frame(i, {
            prefixes: '192.0.2.0/24,198.51.100.0/24',
            'as-path': `${60_000 + (i++ % VP_COUNT)} ${i % 977} 64500`,
          }),
      };
    },
    clients: (port, signal) => {
      const asked = ['/', '/api/v1/prefixes', '/api/v1/prefixes/192.0.2.0/24?window=24h', '/prefix/198.51.100.0/24'];
      const text = [...asked, '/?q=x', '/runbook', '/api/v1/openapi.json', '/api/v1/prefixes/192.0.2.0/24/changes']
        .flatMap((path) => [path, path])
        .map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
        .join('');
      for (const address of ['127.0.0.2', '127.0.0.3', '127.0.0.4']) {
        clientsOf(50, address, text)(port, signal);
        clientsOf(20, address, 'GET /api/v1/events?prefix=192.0.2.0/24 HTTP/1.1\r\nHost: x\r\n\r\n')(port, signal);
      }
    },
  },
  {
    name: 'RIPEstat',
    about: 'eight answers at once are as large as is allowed, and hold nothing that was asked for',
    args: (address, folder) => {
      const file = join(folder, 'ris.yml');
      const prefixes = Array.from({ length: 64 }, (_, i) => `  - {prefix: 203.0.113.${4 * i}/30}`);
      const ris = `ris_live: {url: 'ws://${address}', ripestat_url: 'http://${address}'}`;
      writeFileSync(file, `sources: [ris-live]\nprefixes:\n${prefixes.join('\n')}\n${ris}\n`);
      return [`--config.file=${file}`];
    },
    answers: () => {
      const peer = (i: number) => ({
        ...{ asn: String(60_000 + i), ip: `10.0.${i >> 8}.${i & 255}`, v4_prefix_count: 900_000, v6_prefix_count: 0 },
        ...{ is_full_feed_v4: true, is_full_feed_v6: false },
      });
      const rrcs = [{ id: 0, name: 'RRC00', peers: Array.from({ length: VP_COUNT }, (_, i) => peer(i)) }];
      const envelope = (data: string) => zipped(`{"status":"ok","status_code":200,"data":${data}}`);
      const row = (i: number) =>
        `{"target_prefix":"${number(i)}","source_id":"00-10.0.${(i >> 8) & 7}.${i & 255}","path":[64501,${i}],"community":[]}`;
      const rows = Array.from({ length: 48_000 }, (_, i) => row(i)).join();
      const answers: Readonly<Record<string, Respond>> = {
        'rrc-info': envelope(JSON.stringify({ rrcs })),
        'bgp-state': envelope(`{"timestamp":"2026-01-01T00:00:00","bgp_state":[${rows}]}`),
        'bgp-updates': envelope(`{"updates":[${rows}]}`),
        'related-prefixes': envelope(`{"prefixes":[${rows}]}`),
      };
      return {
        ripestat: (response, request) => {
          const call = /\/data\/([^/]+)\//.exec(request.url ?? '')?.[1] ?? '';
          (answers[call] ?? envelope('{}'))(response, request);
        },
      };
    },
  },
  {
    name: 'validator',
    about: 'validated RPKI data is as large as is allowed, and all of it concerns a monitored prefix',
    args: (address, folder) => {
      const file = join(folder, 'rpki.yml');
      writeFileSync(file, `rpki: {sources: [{url: 'http://${address}/vrps.json'}]}\n`);
      return [`--config.file=${file}`];
    },
    answers: (bytes) => {
      const roa = (i: number) =>
        `{"asn":"AS${1 + (i >> 14)}","prefix":"100.${64 + ((i >> 8) & 63)}.${i & 255}.0/24","maxLength":24,"ta":"x"}`;
      const roas = Array.from({ length: Math.floor(bytes / 64) }, (_, i) => roa(i)).join();
      return { vrps: zipped(`{"roas":[${roas}]}`) };
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

function frame(i: number, fields: object): string {
  const vp = `${60_000 + (i % VP_COUNT)}_10.0.${(i % VP_COUNT) >> 8}.${(i % VP_COUNT) & 255}`;
  return JSON.stringify({ record_type: 'update', vp, sec: Math.floor(Date.now() / 1_000), origin: 'IGP', ...fields });
}

/** What one client of many does, again when its connection is cut, at most 20 times a second. */
function clientsOf(count: number, address: string, text: string): NonNullable<Attack['clients']> {
  return (port, signal) => {
    setMaxListeners(0, signal);
    const open = () => {
      const socket = connect({ host: '127.0.0.1', port, localAddress: address }, () => socket.write(text));
      socket.on('error', () => {});
      socket.on('close', () => {
        if (!signal.aborted) setTimeout(open, 50);
      });
      signal.addEventListener('abort', () => socket.destroy());
    };
    for (let i = 0; i < count; i++) open();
  };
}

function drip(response: Parameters<Respond>[0]): void {
  response.writeHead(200);
  response.write('{"data":{"bgp":[');
  const timer = setInterval(() => response.write(' '), 20);
  response.on('close', () => clearInterval(timer));
}
