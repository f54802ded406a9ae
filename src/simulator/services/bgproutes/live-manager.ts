/** The Live Manager API: `GET /update_live_prefixes?api_key=KEY&new_pfxs=P1,P2` replaces the prefixes of a key. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendText } from '../http-exchange.ts';
import type { Association, Associations } from './associations.ts';

export interface LiveManagerOptions {
  readonly apiKeys: ReadonlySet<string>;
  readonly associations: Associations;
  /** Called before the answer; `before` is what the key had until now. */
  readonly associated: (key: string, association: Association, before: Association | undefined) => void;
}

export class LiveManager {
  readonly #options: LiveManagerOptions;

  constructor(options: LiveManagerOptions) {
    this.#options = options;
  }

  /** 200 when done; anything else is a refusal with its reason as text. */
  handle(request: IncomingMessage, url: URL, response: ServerResponse): void {
    const { apiKeys, associations, associated } = this.#options;
    const refuse = (status: number, text: string): void => sendText(response, status, text);
    if (request.method !== 'GET') {
      refuse(405, 'Method Not Allowed');
      return;
    }
    const key = url.searchParams.get('api_key') ?? '';
    if (!apiKeys.has(key)) {
      refuse(403, 'Invalid API key');
      return;
    }
    const text = url.searchParams.get('new_pfxs');
    if (text === null) {
      refuse(400, 'Missing parameter: new_pfxs');
      return;
    }
    const before = associations.of(key);
    const result = associations.replace(key, text);
    if (!result.ok) {
      refuse(result.status, result.text);
      return;
    }
    // What is made up for new prefixes must be there when the client hears that it may ask for it.
    associated(key, result.association, before);
    sendText(response, 200, 'OK');
  }
}
