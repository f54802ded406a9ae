/** The one port: hands requests to the service that they are for. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { DATA_API_ENDPOINTS, type DataApi } from './bgproutes/data-api.ts';
import type { LiveManager } from './bgproutes/live-manager.ts';
import type { Control } from './control.ts';
import type { FaultInjector } from './faults.ts';
import { requestUrl, sendJson, sendText } from './http-exchange.ts';
import { Ripestat } from './ris/ripestat.ts';
import { VALIDATOR_PATH, type Validator } from './rpki/validator.ts';

export interface HttpServerOptions {
  readonly dataApi: DataApi;
  readonly faults: () => FaultInjector;
  readonly liveManager: LiveManager;
  readonly ripestat: Ripestat;
  readonly validator: Validator;
  /** Undefined: there is none. */
  readonly control: Control | undefined;
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  readonly failed: (error: unknown) => void;
  /** Unix ms: what the services take the time to be, and say that it is. */
  readonly now: () => number;
}

/** A thousand prefixes in a query string are longer than what Node takes by default. */
const MAX_HEADER_BYTES = 1024 * 1024;

const ABOUT = `Simulator: one port for the three services of bgproutes.io, for RIPE RIS Live and RIPEstat, and a validator.
WebSocket  /?api_key=KEY
GET        /update_live_prefixes?api_key=KEY&new_pfxs=P1,P2
GET, POST  /v1/vantage_points, /v1/rib, /v1/updates (header x-api-key)
WebSocket  /v1/ws/ (RIS Live)
GET        /data/CALL/data.json (RIPEstat: rrc-info, bgp-state, bgp-updates, related-prefixes)
GET        ${VALIDATOR_PATH} (VRPs and ASPAs that fit this Internet)
`;

export class SimulatorHttpServer {
  readonly #options: HttpServerOptions;
  #server: Server | undefined;

  constructor(options: HttpServerOptions) {
    this.#options = options;
  }

  /** Rejects when the address cannot be bound. Resolves with the address that was. */
  listen(host: string | undefined, port: number): Promise<AddressInfo> {
    const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) => {
      request.on('error', () => {});
      response.on('error', () => {});
      void this.#handle(request, response);
    });
    server.on('upgrade', this.#options.upgrade);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, () => {
        server.off('error', reject);
        this.#server = server;
        server.on('error', this.#options.failed);
        resolve(server.address() as AddressInfo);
      });
    });
  }

  /** Stops listening and breaks requests that are under way; WebSockets are the stream server's to end. */
  close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { dataApi, faults, liveManager, control, failed, now } = this.#options;
    response.setHeader('date', new Date(now()).toUTCString());
    const url = requestUrl(request);
    const endpoint = DATA_API_ENDPOINTS.find((name) => url.pathname === `/v1/${name}`);
    try {
      if (url.pathname === '/') {
        sendText(response, 200, ABOUT);
      } else if (url.pathname === '/update_live_prefixes') {
        if (!faults().answers('live_manager', request, response)) liveManager.handle(request, url, response);
      } else if (Ripestat.has(url.pathname)) {
        if (!faults().answers('ripestat', request, response)) this.#options.ripestat.handle(url, response);
      } else if (url.pathname === VALIDATOR_PATH) {
        this.#options.validator.handle(request, response);
      } else if (url.pathname.startsWith('/-/') && control !== undefined) {
        await control.handle(request, url, response);
      } else if (endpoint === undefined) {
        sendJson(response, 404, { detail: 'Not Found' });
      } else if (!faults().answers(endpoint, request, response)) {
        await dataApi.handle(endpoint, request, url, response);
      }
    } catch (error) {
      failed(error);
      sendJson(response, 500, { detail: 'Internal Server Error' });
    }
  }
}
