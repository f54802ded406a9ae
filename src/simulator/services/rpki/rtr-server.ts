/**
 * The same VRPs over the RPKI-to-Router protocol, version 1 (RFC 8210), on a port of its own. A client of another version is
 * told so; one that knows a serial of not long ago gets what has changed since, and all are told when there is something new.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { parsePrefix } from '../../../bgp/prefix.ts';

/** A VRP as a text that differs from that of any other VRP. */
export interface ServedVrp {
  readonly prefix: string;
  readonly maxLength: number;
  readonly asn: number;
}

const VERSION = 1;
const SESSION = 8_479;
/** Refresh, retry and expiry, s: the defaults of the RFC. */
const TIMERS = [3_600, 600, 7_200] as const;
const [CORRUPT, UNSUPPORTED_VERSION, UNSUPPORTED_TYPE] = [0, 4, 5];
/** Serials whose changes can still be told; an older one needs a Reset Query. */
const KEPT_SERIALS = 16;
/** The longest query, which is a report, bytes. */
const MAX_QUERY = 64 * 1024;

type VrpsByKey = ReadonlyMap<string, ServedVrp>;

export class RtrServer {
  readonly #vrps: () => readonly ServedVrp[];
  readonly #sockets = new Map<Socket, { isGreeted: boolean }>();
  /** By serial, the newest last. */
  readonly #sets = new Map<number, VrpsByKey>();
  #serial = 0;
  #server: Server | undefined;

  /** @param vrps the current VRPs */
  constructor(vrps: () => readonly ServedVrp[]) {
    this.#vrps = vrps;
  }

  /** Rejects when the address cannot be bound. Resolves with the port that was. */
  listen(host: string | undefined, port: number): Promise<number> {
    this.#look();
    const server = createServer((socket) => this.#serve(socket));
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, () => {
        this.#server = server;
        resolve((server.address() as AddressInfo).port);
      });
    });
  }

  close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return Promise.resolve();
    for (const socket of this.#sockets.keys()) socket.destroy();
    return new Promise((resolve) => server.close(() => resolve()));
  }

  /** There may be other VRPs: when there are, every client is told. */
  changed(): void {
    if (this.#server === undefined || !this.#look()) return;
    for (const [socket, { isGreeted }] of this.#sockets)
      if (isGreeted) socket.write(header(0, SESSION, u32(this.#serial)));
  }

  /** Whether the VRPs are other ones than those of the newest serial. */
  #look(): boolean {
    const set = new Map(this.#vrps().map((vrp) => [`${vrp.prefix} ${vrp.maxLength} ${vrp.asn}`, vrp]));
    const former = this.#sets.get(this.#serial);
    if (former?.size === set.size && [...set.keys()].every((key) => former.has(key))) return false;
    this.#sets.set(++this.#serial, set);
    this.#sets.delete(this.#serial - KEPT_SERIALS);
    return true;
  }

  #serve(socket: Socket): void {
    const client = { isGreeted: false };
    this.#sockets.set(socket, client);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    let rest: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 8) {
        const length = rest.readUInt32BE(4);
        if (length < 8 || length > MAX_QUERY) return refuse(socket, CORRUPT, rest.subarray(0, 8));
        if (rest.length < length) return;
        const query = rest.subarray(0, length);
        rest = rest.subarray(length);
        if (query[0] !== VERSION) return refuse(socket, UNSUPPORTED_VERSION, query);
        if (query[1] === 10) return void socket.end();
        if (query[1] !== 1 && query[1] !== 2) return refuse(socket, UNSUPPORTED_TYPE, query);
        if (query[1] === 1 && length !== 12) return refuse(socket, CORRUPT, query);
        client.isGreeted = true;
        socket.write(this.#answer(query));
      }
    });
  }

  #answer(query: Buffer): Buffer {
    this.#look();
    const now: VrpsByKey = this.#sets.get(this.#serial) ?? new Map();
    const isReset = query[1] === 2;
    const known = isReset
      ? new Map<string, ServedVrp>()
      : query.readUInt16BE(2) === SESSION
        ? this.#sets.get(query.readUInt32BE(8))
        : undefined;
    if (known === undefined) return header(8, 0);
    return Buffer.concat([
      header(3, SESSION),
      ...[...now].filter(([key]) => !known.has(key)).map(([, vrp]) => prefixPdu(vrp, true)),
      ...[...known].filter(([key]) => !now.has(key)).map(([, vrp]) => prefixPdu(vrp, false)),
      header(7, SESSION, u32(this.#serial, ...TIMERS)),
    ]);
  }
}

function u32(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length);
  for (const [i, number] of numbers.entries()) bytes.writeUInt32BE(number, 4 * i);
  return bytes;
}

/** A PDU: its header, and what follows it. */
function header(type: number, field: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.from([VERSION, type, field >> 8, field & 255, 0, 0, 0, 0]);
  bytes.writeUInt32BE(8 + body.length, 4);
  return Buffer.concat([bytes, body]);
}

function prefixPdu({ prefix, maxLength, asn }: ServedVrp, isAnnounced: boolean): Buffer {
  const parsed = parsePrefix(prefix);
  if (parsed === undefined) throw new TypeError(`${prefix} is not a prefix`);
  const { afi, words, length } = parsed;
  const flags = Buffer.from([isAnnounced ? 1 : 0, length, maxLength, 0]);
  return header(afi === 'ipv4' ? 4 : 6, 0, Buffer.concat([flags, u32(...words, asn)]));
}

function refuse(socket: Socket, code: number, query: Buffer): void {
  const quoted = query.subarray(0, 64);
  socket.end(header(10, code, Buffer.concat([u32(quoted.length), quoted, u32(0)])));
}
