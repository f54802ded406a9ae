/**
 * Faults, steps and the truth over HTTP, for tests in which the simulator is another process or container. Off by default:
 * the service has nothing like it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseStep, type StepNow } from '../scenario/scenario.ts';
import type { Faults } from './faults.ts';
import { readBody, sendJson } from './http-exchange.ts';

export interface ControlOptions {
  readonly faults: () => Faults;
  readonly step: (step: StepNow) => void;
  /** What `GET /-/state` answers. */
  readonly state: () => unknown;
}

/** What may be called by name; `goDown` is not there, as nobody could call the simulator back. */
export const CONTROL_FAULTS = [
  ...['cut', 'cutMidFrame', 'stall', 'mute', 'unmute', 'garbage', 'oversized', 'breakProtocol', 'corrupt', 'resend'],
  ...[
    'refuse',
    'rejectHandshakes',
    'expire',
    'api',
    'refuseAssociation',
    'killVantagePoint',
    'unlistVantagePoint',
    'reviveVantagePoint',
    'risLive',
    'risLiveRoom',
    'emptyRipestat',
    'sourceDown',
    'sourceUp',
    'clear',
  ],
] as readonly Exclude<keyof Faults, 'counts' | 'goDown' | 'comeBack'>[];

export class Control {
  readonly #options: ControlOptions;

  constructor(options: ControlOptions) {
    this.#options = options;
  }

  async handle(request: IncomingMessage, url: URL, response: ServerResponse): Promise<void> {
    const route = `${request.method} ${url.pathname}`;
    if (route === 'GET /-/state') {
      sendJson(response, 200, this.#options.state());
      return;
    }
    try {
      const body: unknown = JSON.parse((await readBody(request)) ?? 'null');
      if (route === 'POST /-/step') {
        const result = parseStep(body);
        if (!result.ok) throw new TypeError(result.problems.join('\n'));
        this.#options.step(result.step);
        sendJson(response, 200, {});
      } else if (route === 'POST /-/fault') {
        sendJson(response, 200, { hit: this.#fault(body) ?? null });
      } else {
        sendJson(response, 404, { detail: 'Not Found' });
      }
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof SyntaxError)) throw error;
      sendJson(response, 400, { detail: error.message });
    }
  }

  /** `{"fault": NAME, "args": […]}`: the arguments are those of the method of `Faults`. */
  #fault(body: unknown): unknown {
    const { fault, args = [] } = (body ?? {}) as { fault?: unknown; args?: unknown };
    const name = CONTROL_FAULTS.find((known) => known === fault);
    if (name === undefined) throw new TypeError(`fault: expected one of ${CONTROL_FAULTS.join(', ')}`);
    if (!Array.isArray(args)) throw new TypeError('args: expected an array');
    const faults = this.#options.faults();
    return (faults[name] as (...args: unknown[]) => unknown).apply(faults, args);
  }
}
