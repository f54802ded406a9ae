/**
 * Associates prefixes with a key that no other session uses. A connection asks first: the service refuses it while another
 * session of the key is open, and then nothing is associated, because it would take the list from that session.
 */
import { redactor } from '../../redaction.ts';
import { type ConnectionSettings, WebSocketConnection } from '../../stream/websocket-connection.ts';
import { type AssociationRequest, type AssociationResult, associatePrefixes } from './live-manager.ts';
import { refusalMeaning, refusalText } from './refusal.ts';

export type ClaimResult =
  | AssociationResult
  /** Another session of the key is open, by the words of the service. */
  | { readonly kind: 'in_use'; readonly text: string }
  /** Nobody can say whether one is: the stream could not be opened, or we ask too often. */
  | { readonly kind: 'unknown'; readonly text: string };

/** The services of bgproutes.io that a subscription asks. */
export type AskedService = 'stream' | 'live_manager';

export interface ClaimRequest extends AssociationRequest {
  /** With the key in it: never printed. */
  readonly streamUrl: URL;
  readonly connection: ConnectionSettings;
  /** Called before a service is asked. */
  readonly onAsk: (service: AskedService) => void;
}

/** Never rejects, and nothing that it returns holds the key. The connection is closed when it resolves. */
export async function claimKey(asked: ClaimRequest): Promise<ClaimResult> {
  const { streamUrl, connection: settings, userAgent, timers, signal } = asked;
  if (signal.aborted) return { kind: 'error', text: 'stopped' };
  asked.onAsk('stream');
  let accept: (value: 'accepted') => void;
  const accepted = new Promise<'accepted'>((resolve) => {
    accept = resolve;
  });
  const connection = new WebSocketConnection(
    {
      ...{ url: streamUrl, settings, timers, redactText: redactor([asked.apiKey]) },
      ...{ isTrial: true, refusalOf: refusalText },
      headers: userAgent === undefined ? {} : { 'user-agent': userAgent },
    },
    { connected: () => accept('accepted'), frames: () => {} },
  );
  const onAbort = () => connection.close();
  signal.addEventListener('abort', onAbort);
  try {
    const answer = await Promise.race([connection.ended, accepted]);
    if (signal.aborted) return { kind: 'error', text: 'stopped' };
    if (answer !== 'accepted') {
      const meaning = answer.refused ? refusalMeaning(answer.detail) : 'too_often';
      const text = answer.detail === '' ? answer.reason : answer.detail;
      if (meaning !== 'other') return { kind: meaning === 'another_session' ? 'in_use' : 'unknown', text };
    }
    // Accepted, or refused for what the association may mend.
    asked.onAsk('live_manager');
    return await associatePrefixes(asked);
  } finally {
    signal.removeEventListener('abort', onAbort);
    connection.close();
    await connection.ended;
  }
}
