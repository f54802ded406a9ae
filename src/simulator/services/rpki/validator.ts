/**
 * A validator of the RPKI: what the holders of the simulated prefixes and ASes would have signed, as JSON in the form of
 * Routinator. Each prefix has a VRP for its usual origin and its own length, each AS an ASPA with its providers of now.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Internet } from '../../internet/internet.ts';
import { send } from '../http-exchange.ts';

/** The path at which the data is served. */
export const VALIDATOR_PATH = '/rpki.json';

/** No trust anchor of the world. */
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
    const data = { roas: this.#vrps(), aspas: this.#aspas() };
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

  /** What only a hijack brought up has no holder who would have signed it. */
  #vrps(): object[] {
    const { prefixes, graph } = this.#options.internet();
    return [...prefixes.values()].flatMap(({ text, usual }) =>
      usual.map(({ node }) => ({
        asn: `AS${graph.nodes[node].asn}`,
        prefix: text,
        maxLength: Number(text.slice(text.indexOf('/') + 1)),
        ta: TA,
      })),
    );
  }

  /** AS 0 alone: the AS has no provider. */
  #aspas(): object[] {
    const { graph } = this.#options.internet();
    return graph.nodes.map(({ asn, providers }) => {
      const asns = [...providers].map((provider) => graph.nodes[provider].asn).sort((a, b) => a - b);
      return { customer: `AS${asn}`, providers: (asns.length === 0 ? [0] : asns).map((one) => `AS${one}`), ta: TA };
    });
  }
}
