/**
 * A validator of the RPKI: what the holders of the simulated prefixes and ASes would have signed, as JSON in the form of
 * Routinator. Unless a step says otherwise, each prefix has a VRP for its usual origin and its own length, and each AS has
 * an ASPA with its providers of now.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Internet } from '../../internet/internet.ts';
import { roasOf } from '../../internet/signed/roas.ts';
import { send } from '../http-exchange.ts';
import type { ServedVrp, SignedData } from './rtr-server.ts';

/** The path at which the data is served. */
export const VALIDATOR_PATH = '/rpki.json';

/** A name that no real trust anchor has. */
const TA = 'simulated';

export interface ValidatorOptions {
  readonly internet: () => Internet;
  /** Unix ms. */
  readonly now: () => number;
}

export class Validator {
  readonly #options: ValidatorOptions;

  constructor(options: ValidatorOptions) {
    this.#options = options;
  }

  /** The tag changes with the data alone, the time of the data with each request: the validator has just looked. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    const nowMs = this.#options.now();
    const { vrps, aspas } = this.signed();
    const data = {
      roas: vrps.map((vrp) => ({ ...vrp, asn: `AS${vrp.asn}`, ta: TA })),
      // AS 0 alone: the AS has no provider.
      aspas: aspas.map(({ customer, providers }) => ({
        customer: `AS${customer}`,
        providers: (providers.length === 0 ? [0] : providers).map((one) => `AS${one}`),
        ta: TA,
      })),
    };
    const tag = `"${createHash('sha256').update(JSON.stringify(data)).digest('hex').slice(0, 16)}"`;
    response.setHeader('etag', tag);
    response.setHeader('last-modified', new Date(nowMs).toUTCString());
    if (request.headers['if-none-match'] === tag) {
      response.writeHead(304);
      response.end();
      return;
    }
    const metadata = { generated: Math.floor(nowMs / 1_000), generatedTime: new Date(nowMs).toISOString() };
    send(response, 200, 'application/json', JSON.stringify({ metadata, ...data }));
  }

  /** What is signed now. */
  signed(): SignedData {
    return { vrps: this.#vrps(), aspas: this.#options.internet().aspas() };
  }

  #vrps(): ServedVrp[] {
    const { prefixes, graph } = this.#options.internet();
    return [...prefixes.values()].flatMap((prefix) =>
      roasOf(prefix, graph).map((roa) => ({ prefix: prefix.text, ...roa })),
    );
  }
}
