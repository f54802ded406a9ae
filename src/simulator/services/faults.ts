/** What goes wrong on demand. Everything else works as the service does. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { World } from '../internet/world.ts';
import type { Associations } from './bgproutes/associations.ts';
import { DATA_API_ENDPOINTS } from './bgproutes/data-api.ts';
import type { StreamServer } from './bgproutes/stream-server.ts';
import type { Garbage } from './bgproutes/stream-session.ts';
import { send, sendJson, sendText } from './http-exchange.ts';
import type { Ripestat } from './ris/ripestat.ts';
import type { RisLiveServer } from './ris/ris-live.ts';
import { SIMULATED_SOURCES, type SimulatedSource } from './source-names.ts';

export const ENDPOINTS = ['live_manager', ...DATA_API_ENDPOINTS, 'ripestat'] as const;
export type Endpoint = (typeof ENDPOINTS)[number];

/** An HTTP status; no answer at all; an answer that cannot be read; or a connection that breaks. */
export type ApiFault = number | 'timeout' | 'garbage' | 'cut';

/**
 * Faults of the stream concern all sessions, or that of one key; they return how many sessions they hit. Messages that a
 * fault keeps from a client are gone for it, as in reality; the Data API has them.
 */
export interface Faults {
  /** Ends connections without a goodbye. */
  cut(key?: string): number;
  /** Ends connections in the middle of a frame. */
  cutMidFrame(key?: string): number;
  /** Connections stay, but nothing more is sent or answered, pings included. */
  stall(key?: string): number;
  /**
   * Connections stay and pings are answered, but messages are kept back until `unmute`, from those that connect meanwhile
   * too.
   */
  mute(key?: string): number;
  unmute(key?: string): number;
  /** Sends a frame that is not a message, in addition to the others. */
  garbage(kind: Garbage, key?: string): number;
  /** Sends one text frame of this size; by default one byte over 1 MiB. */
  oversized(bytes?: number, key?: string): number;
  /** Sends bytes that are not a WebSocket frame. */
  breakProtocol(key?: string): number;
  /** The next messages are cut in half, and so lost. */
  corrupt(count?: number, key?: string): number;
  /** The last messages (64 at most) come again, with their old times. */
  resend(count?: number, key?: string): number;
  /** Refuses the next connections with `{"error": TEXT}`. */
  refuse(count?: number, text?: string): void;
  /** Answers the next handshakes with an HTTP status rather than 101. */
  rejectHandshakes(count?: number, status?: number): void;
  /** Forgets the prefixes of the key, or of all keys, as after four hours of inactivity. */
  expire(key?: string): void;
  /** The next `count` requests to this endpoint fail, whoever makes them. */
  api(endpoint: Endpoint, fault: ApiFault, count?: number): void;
  /** The next associations are refused with this status and text. */
  refuseAssociation(count?: number, text?: string, status?: number): void;
  /** The session of a VP goes down: `down` in the API, its routes gone, and the stream does not tell it. */
  killVantagePoint(vpKey: string): void;
  /** The same, and the list of the API has the VP no more, as one that a collector gave up. */
  unlistVantagePoint(vpKey: string): void;
  /** The VP is back in the list, and announces its routes again. */
  reviveVantagePoint(vpKey: string): void;
  /**
   * RIS Live: ends its connections without a goodbye (`cut`); tells its clients that they are behind, and closes (`behind`);
   * stays connected and says nothing more (`silent`), or nothing about peers (`mute`), until `speak` or `clear`.
   */
  risLive(fault: RisLiveFault): void;
  /** RIS Live takes no more than so many subscriptions on a connection, each prefix one; undefined, or `clear`: as many as come. */
  risLiveRoom(subscriptions?: number): void;
  /** One source ends its connections and refuses new ones, until `sourceUp` or `clear`; its history goes on. */
  sourceDown(source: SimulatedSource): void;
  sourceUp(source: SimulatedSource): void;
  /** RIPEstat answers every question with an empty state, and says ok, until it is called with `false`, or `clear`. */
  emptyRipestat(isEmpty?: boolean): void;
  /** The port is closed and all connections are cut; the state stays and goes on. */
  goDown(): Promise<void>;
  /** Listens again on the same port. */
  comeBack(): Promise<void>;
  /** Ends faults that last (mute, planned refusals and API faults); what was cut or stalled stays so. */
  clear(): void;
  /** How often each fault was used. */
  readonly counts: Readonly<Record<string, number>>;
}

export type RisLiveFault = 'cut' | 'behind' | 'silent' | 'mute' | 'speak';

interface PlannedApiFault {
  readonly fault: ApiFault;
  readonly text: string | undefined;
}

export interface FaultsOptions {
  readonly apiKeys: readonly string[];
  readonly stream: StreamServer;
  readonly risLive: RisLiveServer;
  readonly ripestat: Ripestat;
  readonly associations: Associations;
  readonly world: World;
  readonly goDown: () => Promise<void>;
  readonly comeBack: () => Promise<void>;
}

export class FaultInjector implements Faults {
  readonly counts: Record<string, number> = {};
  readonly #options: FaultsOptions;
  readonly #planned: Record<Endpoint, PlannedApiFault[]> = {
    live_manager: [],
    vantage_points: [],
    rib: [],
    updates: [],
    ripestat: [],
  };

  constructor(options: FaultsOptions) {
    this.#options = options;
  }

  #counted(name: string): void {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }

  #eachSession(
    name: string,
    key: string | undefined,
    hit: (session: ReturnType<StreamServer['sessions']>[number]) => unknown,
  ): number {
    this.#counted(name);
    const sessions = this.#options.stream.sessions(key);
    return sessions.filter((session) => hit(session) !== false).length;
  }

  cut(key?: string): number {
    return this.#eachSession('cut', key, (session) => session.cut());
  }

  cutMidFrame(key?: string): number {
    return this.#eachSession('cut_mid_frame', key, (session) => session.cutMidFrame());
  }

  stall(key?: string): number {
    return this.#eachSession('stall', key, (session) => session.stall());
  }

  mute(key?: string): number {
    this.#options.stream.mute(key);
    return this.#eachSession('mute', key, (session) => session.mute());
  }

  unmute(key?: string): number {
    this.#options.stream.unmute(key);
    return this.#eachSession('unmute', key, (session) => session.unmute());
  }

  garbage(kind: Garbage, key?: string): number {
    return this.#eachSession('garbage', key, (session) => session.garbage(kind));
  }

  oversized(bytes = 1024 * 1024 + 1, key?: string): number {
    return this.#eachSession('oversized', key, (session) => session.oversized(bytes));
  }

  breakProtocol(key?: string): number {
    return this.#eachSession('break_protocol', key, (session) => session.breakProtocol());
  }

  corrupt(count = 1, key?: string): number {
    return this.#eachSession('corrupt', key, (session) => session.corruptNext(count));
  }

  resend(count = 1, key?: string): number {
    return this.#eachSession('resend', key, (session) => session.resend(count) > 0);
  }

  refuse(count = 1, text = 'Too many connections'): void {
    this.#counted('refuse');
    this.#options.stream.refuseNext(count, text);
  }

  rejectHandshakes(count = 1, status = 503): void {
    this.#counted('reject_handshakes');
    this.#options.stream.rejectUpgrades(count, status);
  }

  risLive(fault: RisLiveFault): void {
    this.#counted(`ris_live_${fault}`);
    const { risLive } = this.#options;
    switch (fault) {
      case 'cut':
        risLive.cut();
        break;
      case 'behind':
        risLive.behind();
        break;
      case 'silent':
      case 'mute':
        risLive.setFault(fault);
        break;
      case 'speak':
        risLive.setFault(undefined);
        break;
      default:
        throw new TypeError('risLive: expected cut, behind, silent, mute or speak');
    }
  }

  risLiveRoom(subscriptions?: number): void {
    this.#counted('ris_live_room');
    this.#options.risLive.room = subscriptions ?? Number.POSITIVE_INFINITY;
  }

  sourceDown(source: SimulatedSource): void {
    this.#counted('source_down');
    const server = this.#serverOf(source);
    server.isRefusing = true;
    if (source === 'bgproutes') for (const session of this.#options.stream.sessions()) session.cut();
    else this.#options.risLive.cut();
  }

  sourceUp(source: SimulatedSource): void {
    this.#counted('source_up');
    this.#serverOf(source).isRefusing = false;
  }

  #serverOf(source: SimulatedSource): StreamServer | RisLiveServer {
    if (!SIMULATED_SOURCES.includes(source)) throw new TypeError(`source: expected ${SIMULATED_SOURCES.join(' or ')}`);
    return source === 'bgproutes' ? this.#options.stream : this.#options.risLive;
  }

  emptyRipestat(isEmpty = true): void {
    this.#counted('empty_ripestat');
    this.#options.ripestat.isEmpty = isEmpty;
  }

  expire(key?: string): void {
    this.#counted('expire');
    for (const one of key === undefined ? this.#options.apiKeys : [key]) this.#options.associations.expire(one);
  }

  api(endpoint: Endpoint, fault: ApiFault, count = 1): void {
    this.#counted(`api_${fault}`);
    for (let i = 0; i < count; i++) this.#planned[endpoint].push({ fault, text: undefined });
  }

  refuseAssociation(count = 1, text = 'Prefixes could not be associated with the API key', status = 400): void {
    this.#counted('refuse_association');
    for (let i = 0; i < count; i++) this.#planned.live_manager.push({ fault: status, text });
  }

  killVantagePoint(vpKey: string): void {
    this.#counted('kill_vp');
    this.#options.world.setStatus(this.#vp(vpKey), 'down');
  }

  unlistVantagePoint(vpKey: string): void {
    this.#counted('unlist_vp');
    const { world } = this.#options;
    world.setStatus(this.#vp(vpKey), 'down');
    world.setListed(this.#vp(vpKey), false);
  }

  reviveVantagePoint(vpKey: string): void {
    this.#counted('revive_vp');
    const { world } = this.#options;
    world.setListed(this.#vp(vpKey), true);
    world.setStatus(this.#vp(vpKey), 'up');
  }

  #vp(vpKey: string) {
    const vp = this.#options.world.points.byKey(vpKey);
    if (vp === undefined) throw new TypeError(`no vantage point ${vpKey}`);
    return vp;
  }

  goDown(): Promise<void> {
    this.#counted('go_down');
    return this.#options.goDown();
  }

  comeBack(): Promise<void> {
    this.#counted('come_back');
    return this.#options.comeBack();
  }

  clear(): void {
    this.#options.risLive.setFault(undefined);
    this.#options.risLive.isRefusing = false;
    this.#options.risLive.room = Number.POSITIVE_INFINITY;
    this.#options.ripestat.isEmpty = false;
    this.#options.stream.clearFaults();
    for (const planned of Object.values(this.#planned)) planned.length = 0;
  }

  /** Whether a planned fault has taken care of this request. */
  answers(endpoint: Endpoint, request: IncomingMessage, response: ServerResponse): boolean {
    const planned = this.#planned[endpoint].shift();
    if (planned === undefined) return false;
    request.resume();
    switch (planned.fault) {
      case 'timeout':
        break; // until the client gives up, or the simulator stops
      case 'cut':
        request.socket.destroy();
        break;
      case 'garbage':
        send(response, 200, 'application/json', '{"seconds": 0.1, "data": {"bgp": {"1": [[');
        break;
      default:
        if (endpoint === 'live_manager') sendText(response, planned.fault, planned.text ?? 'Service unavailable');
        else sendJson(response, planned.fault, { detail: planned.text ?? `Fault on demand: ${planned.fault}` });
    }
    return true;
  }
}
