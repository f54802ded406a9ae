/**
 * The same data over the RPKI-to-Router protocol, on a port of its own: VRPs in version 1 (RFC 8210), and ASPAs too in
 * version 2 (draft-ietf-sidrops-8210bis-27). A client of another version is told so; one that knows a serial of not long ago
 * gets what has changed since, and all are told when there is something new.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { parsePrefix } from '../../../bgp/prefix.ts';

/** A VRP as a text that differs from that of any other VRP. */
export interface ServedVrp {
  readonly prefix: string;
  readonly maxLength: number;
  readonly asn: number;
}

/** What the customer says: all its providers; empty: it has none. */
export interface ServedAspa {
  readonly customer: number;
  readonly providers: readonly number[];
}

export interface SignedData {
  readonly vrps: readonly ServedVrp[];
  /** At most one a customer. */
  readonly aspas: readonly ServedAspa[];
}

type Version = 1 | 2;
const SESSION = 8_479;
/** Refresh, retry and expiry, s: the defaults of the RFC. */
const TIMERS = [3_600, 600, 7_200] as const;
const [CORRUPT, UNSUPPORTED_VERSION, UNSUPPORTED_TYPE, UNEXPECTED_VERSION] = [0, 4, 5, 8];
/** Serials whose changes can still be told; an older one needs a Reset Query. */
const KEPT_SERIALS = 16;
/** The longest query, which is a report, bytes. */
const MAX_QUERY = 64 * 1024;

/** An object, and as a text what it says: another text under the same key takes its place. */
type ServedObject = { readonly text: string } & ({ readonly vrp: ServedVrp } | { readonly aspa: ServedAspa });
/** By what the objects are about. */
type Served = ReadonlyMap<string, ServedObject>;

const NOTHING: Served = new Map();

export class RtrServer {
  readonly #data: () => SignedData;
  /** With the version of each client; undefined before its first query. */
  readonly #sockets = new Map<Socket, { version: Version | undefined }>();
  /** By serial, the newest last. */
  readonly #sets = new Map<number, Served>();
  #serial = 0;
  #server: Server | undefined;

  /** @param data what is signed now */
  constructor(data: () => SignedData) {
    this.#data = data;
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

  /** There may be other data: when there is, every client is told. */
  changed(): void {
    if (this.#server === undefined || !this.#look()) return;
    for (const [socket, { version }] of this.#sockets)
      if (version !== undefined) socket.write(pdu(version, 0, SESSION, u32(this.#serial)));
  }

  /** Whether the data is other than that of the newest serial. */
  #look(): boolean {
    const set = servedOf(this.#data());
    const former = this.#sets.get(this.#serial);
    if (former !== undefined && changes(former, set).length === 0 && changes(set, former).length === 0) return false;
    this.#sets.set(++this.#serial, set);
    this.#sets.delete(this.#serial - KEPT_SERIALS);
    return true;
  }

  #serve(socket: Socket): void {
    const client: { version: Version | undefined } = { version: undefined };
    this.#sockets.set(socket, client);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    let rest: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 8) {
        const length = rest.readUInt32BE(4);
        const version = versionOf(rest[0]) ?? client.version ?? 2;
        if (length < 8 || length > MAX_QUERY) return refuse(socket, version, CORRUPT, rest.subarray(0, 8));
        if (rest.length < length) return;
        const query = rest.subarray(0, length);
        rest = rest.subarray(length);
        if (versionOf(query[0]) === undefined) return refuse(socket, version, UNSUPPORTED_VERSION, query);
        if (client.version !== undefined && client.version !== version)
          return refuse(socket, client.version, UNEXPECTED_VERSION, query);
        if (query[1] === 10) return void socket.end();
        if (query[1] !== 1 && query[1] !== 2) return refuse(socket, version, UNSUPPORTED_TYPE, query);
        if (query[1] === 1 && length !== 12) return refuse(socket, version, CORRUPT, query);
        client.version = version;
        socket.write(this.#answer(version, query));
      }
    });
  }

  #answer(version: Version, query: Buffer): Buffer {
    this.#look();
    const now = this.#sets.get(this.#serial) ?? NOTHING;
    const isReset = query[1] === 2;
    const known = isReset
      ? NOTHING
      : query.readUInt16BE(2) === SESSION
        ? this.#sets.get(query.readUInt32BE(8))
        : undefined;
    if (known === undefined) return pdu(version, 8, 0);
    const gone = changes(now, known).filter(([key]) => !now.has(key));
    return Buffer.concat([
      pdu(version, 3, SESSION),
      ...changes(known, now).map(([, one]) => objectPdu(version, one, true)),
      ...gone.map(([, one]) => objectPdu(version, one, false)),
      pdu(version, 7, SESSION, u32(this.#serial, ...TIMERS)),
    ]);
  }
}

function versionOf(byte: number): Version | undefined {
  return byte === 1 || byte === 2 ? byte : undefined;
}

function servedOf({ vrps, aspas }: SignedData): Served {
  const served = new Map<string, ServedObject>();
  for (const vrp of vrps) {
    const key = `${vrp.prefix} ${vrp.maxLength} ${vrp.asn}`;
    served.set(key, { text: key, vrp });
  }
  for (const aspa of aspas) served.set(`AS${aspa.customer}`, { text: aspa.providers.join(' '), aspa });
  return served;
}

/** What is in `to` and not, or otherwise, in `from`. */
function changes(from: Served, to: Served): [string, ServedObject][] {
  return [...to].filter(([key, { text }]) => from.get(key)?.text !== text);
}

/** Version 1 has no ASPAs. */
function objectPdu(version: Version, one: ServedObject, isAnnounced: boolean): Buffer {
  if ('vrp' in one) return prefixPdu(version, one.vrp, isAnnounced);
  if (version < 2) return Buffer.alloc(0);
  const { customer, providers } = one.aspa;
  const list = providers.length === 0 ? [0] : [...providers].sort((a, b) => a - b);
  return pdu(version, 11, isAnnounced ? 0x100 : 0, u32(customer, ...(isAnnounced ? list : [])));
}

function u32(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length);
  for (const [i, number] of numbers.entries()) bytes.writeUInt32BE(number, 4 * i);
  return bytes;
}

/** A PDU: its header, and what follows it. */
function pdu(version: Version, type: number, field: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.from([version, type, field >> 8, field & 255, 0, 0, 0, 0]);
  bytes.writeUInt32BE(8 + body.length, 4);
  return Buffer.concat([bytes, body]);
}

function prefixPdu(version: Version, { prefix, maxLength, asn }: ServedVrp, isAnnounced: boolean): Buffer {
  const parsed = parsePrefix(prefix);
  if (parsed === undefined) throw new TypeError(`${prefix} is not a prefix`);
  const { afi, words, length } = parsed;
  const flags = Buffer.from([isAnnounced ? 1 : 0, length, maxLength, 0]);
  return pdu(version, afi === 'ipv4' ? 4 : 6, 0, Buffer.concat([flags, u32(...words, asn)]));
}

function refuse(socket: Socket, version: Version, code: number, query: Buffer): void {
  const quoted = query.subarray(0, 64);
  socket.end(pdu(version, 10, code, Buffer.concat([u32(quoted.length), quoted, u32(0)])));
}
