/**
 * RIS Live: who is connected, what each has subscribed to, and who gets which message. It takes what the manual documents
 * and refuses everything else with a `ris_error`.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { containsPrefix, type Prefix, parsePrefix } from '../../../bgp/prefix.ts';
import type { Logger } from '../../../logger.ts';
import type { Clock } from '../../clock.ts';
import type { PrefixIndex } from '../../internet/routes/prefix-index.ts';
import type { SimulatedVantagePoint, VantagePoints } from '../../internet/vantage-points.ts';
import type { StreamMessage } from '../bgproutes/stream-message.ts';
import { refuseUpgrade } from '../http-exchange.ts';
import { collectorOf, isRisPeer, risFacts, risMessage, risUpdate, twoDigits } from './ris-message.ts';

export interface RisLiveOptions {
  readonly points: VantagePoints;
  readonly prefixes: PrefixIndex;
  /** Whether the session of the peer is up. */
  readonly isUp: (vp: SimulatedVantagePoint) => boolean;
  /** Unsent bytes at which a client is told that it is behind, and cut off. */
  readonly maxPendingBytes: number;
  /** Unix microseconds. */
  readonly nowUs: () => number;
  /** Calls back once after so many ms; what it gives cancels that. */
  readonly schedule: Clock['schedule'];
  readonly logger: Logger | undefined;
  /** A client asks for a prefix, which nobody may know yet. */
  readonly onPrefix: (prefix: string) => void;
}

/** One subscription, in the words of the manual. */
interface Filter {
  readonly prefix: Prefix | undefined;
  readonly moreSpecific: boolean;
  readonly lessSpecific: boolean;
  readonly type: string | undefined;
  readonly host: string | undefined;
  readonly peer: string | undefined;
}

interface Client {
  readonly websocket: WebSocket;
  /** By the JSON that an unsubscription repeats. */
  readonly filters: Map<string, Filter>;
  /** Prefixes by number, and whether a message about them is wanted. */
  wanted: Map<number, boolean>;
}

const TYPES = ['UPDATE', 'OPEN', 'NOTIFICATION', 'KEEPALIVE', 'STATE', 'RIS_PEER_STATE'];
const KEYS = ['host', 'type', 'require', 'peer', 'path', 'prefix', 'moreSpecific', 'lessSpecific', 'socketOptions'];

/** Between two keep-alives of the peers of one collector, ms by the clock of the simulator. */
const KEEP_ALIVE_MS = 1_000;

export class RisLiveServer {
  readonly #options: RisLiveOptions;
  readonly #websockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 1024 * 1024 });
  readonly #clients = new Set<Client>();
  readonly #sockets = new Set<Duplex>();
  readonly #peers = new Map<string, SimulatedVantagePoint>();
  /** Runs while somebody is connected. */
  #cancelKeepAlive: (() => void) | undefined;
  /** `silent`: not even a ping is answered. `mute`: only messages about peers are missing. */
  #fault: 'silent' | 'mute' | undefined;
  #connections = 0;
  /** New connections are refused, until it is set again. */
  isRefusing = false;
  /** How many subscriptions each connection may have. */
  room = Number.POSITIVE_INFINITY;

  constructor(options: RisLiveOptions) {
    this.#options = options;
  }

  /** Open connections, and how many there have been. */
  get clients(): number {
    return this.#clients.size;
  }

  get connections(): number {
    return this.#connections;
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => {});
    if (this.isRefusing) {
      refuseUpgrade(socket, 503);
      return;
    }
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    this.#websockets.handleUpgrade(request, socket, head, (websocket) => {
      const client: Client = { websocket, filters: new Map(), wanted: new Map() };
      this.#connections++;
      this.#clients.add(client);
      if (this.#cancelKeepAlive === undefined) this.#keepAlive();
      this.#options.logger?.info('RIS Live connection opened', { clients: this.#clients.size });
      websocket.on('error', () => {});
      websocket.on('message', (data) => this.#take(client, String(data)));
      websocket.on('close', () => {
        this.#clients.delete(client);
        this.#options.logger?.info('RIS Live connection closed', { clients: this.#clients.size });
      });
    });
  }

  publish(message: StreamMessage, timeUs: number): void {
    if (this.#clients.size === 0 || this.#fault !== undefined) return;
    const wanting = [...this.#clients].flatMap((client) => {
      const of = (list: StreamMessage['announced']) =>
        list.texts.filter((_, i) => list.numbers[i] >= 0 && this.#isWanted(client, list.numbers[i]));
      const [announced, withdrawn] = [of(message.announced), of(message.withdrawn)];
      return announced.length + withdrawn.length === 0 ? [] : [{ client, announced, withdrawn }];
    });
    if (wanting.length === 0) return;
    const facts = risFacts(message, (name) => this.#peerOf(name));
    if (facts === undefined) return;
    for (const { client, announced, withdrawn } of wanting)
      this.#send(client, risUpdate(facts, announced, withdrawn, timeUs));
  }

  /** The collector's connection to the peer has gone up or down. */
  peerState(vp: SimulatedVantagePoint, isUp: boolean, timeUs: number): void {
    if (!isRisPeer(vp) || this.#fault !== undefined) return;
    const text = risMessage(vp, timeUs, { type: 'STATE', state: isUp ? 'connected' : 'down' });
    for (const client of this.#clients)
      if (this.#hasType(client, ['STATE', 'RIS_PEER_STATE'], vp)) this.#send(client, text);
  }

  /** Ends all connections at once. */
  cut(): number {
    const { size } = this.#clients;
    for (const { websocket } of this.#clients) websocket.terminate();
    for (const socket of this.#sockets) socket.destroy();
    return size;
  }

  /** Says to each client that it is behind, and closes. */
  behind(): void {
    for (const { websocket } of this.#clients) {
      websocket.send(
        errorMessage('Closing connection after being behind by more than 262144000 bytes over 30 seconds'),
      );
      websocket.close(1008);
    }
  }

  /** Until `undefined`: connections stay, and nothing (`silent`) or no message about peers (`mute`) is sent. */
  setFault(fault: 'silent' | 'mute' | undefined): void {
    this.#fault = fault;
  }

  stop(): void {
    this.#cancelKeepAlive?.();
    this.cut();
  }

  #take(client: Client, text: string): void {
    if (this.#fault === 'silent') return;
    const answer = this.#answer(client, text);
    if (answer !== undefined) this.#send(client, answer);
  }

  #answer(client: Client, text: string): string | undefined {
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      return errorMessage('Invalid JSON');
    }
    const { type, data } = (message ?? {}) as { readonly type?: unknown; readonly data?: unknown };
    switch (type) {
      case 'ping':
        return JSON.stringify({ type: 'pong', data: null });
      case 'request_rrc_list': {
        const collectors = new Set(this.#options.points.all.filter(isRisPeer).map(collectorOf));
        const names = [...collectors].sort((a, b) => a - b).map((number) => `rrc${twoDigits(number)}`);
        return JSON.stringify({ type: 'ris_rrc_list', data: names });
      }
      case 'ris_subscribe':
        return this.#subscribe(client, data);
      case 'ris_unsubscribe': {
        const filters = filtersOf(data);
        if (typeof filters === 'string') return errorMessage(filters);
        for (const filter of filters) client.filters.delete(idOf(filter));
        client.wanted = new Map();
        return undefined;
      }
      default:
        return JSON.stringify({ type: 'ris_error', data: { message: 'Unknown command type', command_type: type } });
    }
  }

  #subscribe(client: Client, data: unknown): string | undefined {
    const filters = filtersOf(data);
    if (typeof filters === 'string') return errorMessage(filters);
    const added = filters.filter((filter) => !client.filters.has(idOf(filter)));
    // All or none: half of a subscription would be acknowledged, or refused, as a whole.
    if (client.filters.size + added.length > this.room) return errorMessage('Too many subscriptions');
    for (const filter of filters) {
      client.filters.set(idOf(filter), filter);
      if (filter.prefix !== undefined) this.#options.onPrefix(filter.prefix.text);
    }
    client.wanted = new Map();
    const { socketOptions, ...subscription } = data as { readonly socketOptions?: { readonly acknowledge?: unknown } };
    if (socketOptions?.acknowledge !== true) return undefined;
    return JSON.stringify({
      type: 'ris_subscribe_ok',
      data: { subscription: { moreSpecific: true, lessSpecific: false, ...subscription }, socketOptions },
    });
  }

  #isWanted(client: Client, number: number): boolean {
    let isWanted = client.wanted.get(number);
    if (isWanted === undefined) {
      const prefix = this.#options.prefixes.all[number];
      isWanted = [...client.filters.values()].some((filter) => matches(filter, prefix));
      client.wanted.set(number, isWanted);
    }
    return isWanted;
  }

  #hasType(client: Client, types: readonly string[], vp: SimulatedVantagePoint): boolean {
    const host = `rrc${twoDigits(collectorOf(vp))}`;
    for (const filter of client.filters.values()) {
      if (filter.prefix !== undefined || (filter.type !== undefined && !types.includes(filter.type))) continue;
      if ((filter.host ?? host) === host && (filter.peer ?? vp.ip) === vp.ip) return true;
    }
    return false;
  }

  #keepAlive(): void {
    this.#cancelKeepAlive = this.#options.schedule(() => {
      this.#cancelKeepAlive = undefined;
      if (this.#clients.size === 0) return;
      this.#keepAlive();
      this.#sendKeepAlive();
    }, KEEP_ALIVE_MS);
  }

  #sendKeepAlive(): void {
    if (this.#fault !== undefined) return;
    const vp = this.#options.points.all.find(
      (one) => isRisPeer(one) && collectorOf(one) === 0 && this.#options.isUp(one),
    );
    if (vp === undefined) return;
    const text = risMessage(vp, this.#options.nowUs(), { type: 'KEEPALIVE' });
    for (const client of this.#clients) if (this.#hasType(client, ['KEEPALIVE'], vp)) this.#send(client, text);
  }

  #send(client: Client, text: string): void {
    const { websocket } = client;
    if (websocket.readyState !== websocket.OPEN) return;
    if (websocket.bufferedAmount > this.#options.maxPendingBytes) {
      websocket.terminate();
      return;
    }
    websocket.send(text);
  }

  #peerOf(name: string): SimulatedVantagePoint | undefined {
    let vp = this.#peers.get(name);
    if (vp === undefined) {
      vp = this.#options.points.byKey(`bgp ${name}`);
      if (vp !== undefined) this.#peers.set(name, vp);
    }
    return vp;
  }
}

/** The filters of a subscription, one a prefix; or why it is refused. */
function filtersOf(data: unknown): readonly Filter[] | string {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return 'Invalid subscription';
  const given = data as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(given).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) return `Unknown subscription key ${unknown.slice(0, 40)}`;
  const { type, host, peer, prefix, moreSpecific = true, lessSpecific = false } = given;
  if (given.path !== undefined || given.require !== undefined)
    return 'Not supported by the simulator: path and require';
  if (type !== undefined && !TYPES.includes(String(type))) return 'Invalid message type';
  const common = {
    type: type === undefined ? undefined : String(type),
    host: host === undefined ? undefined : String(host).replace(/\.ripe\.net$/, ''),
    peer: peer === undefined ? undefined : String(peer),
    moreSpecific: moreSpecific === true,
    lessSpecific: lessSpecific === true,
  };
  if (prefix === undefined) return [{ ...common, prefix: undefined }];
  const filters: Filter[] = [];
  for (const text of Array.isArray(prefix) ? (prefix as readonly unknown[]) : [prefix]) {
    const parsed = parsePrefix(String(text));
    if (parsed === undefined || parsed.hadHostBits) return `Invalid prefix ${String(text).slice(0, 60)}`;
    filters.push({ ...common, prefix: parsed });
  }
  return filters;
}

function idOf({ prefix, ...rest }: Filter): string {
  return JSON.stringify([prefix?.text, rest]);
}

function matches({ prefix, moreSpecific, lessSpecific, type }: Filter, of: Prefix): boolean {
  if (type !== undefined && type !== 'UPDATE') return false;
  if (prefix === undefined || prefix.text === of.text) return true;
  return (moreSpecific && containsPrefix(prefix, of)) || (lessSpecific && containsPrefix(of, prefix));
}

function errorMessage(message: string): string {
  return JSON.stringify({ type: 'ris_error', data: { message } });
}
