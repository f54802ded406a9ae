/**
 * The one rule by which prefixes come to be associated with a key, for the exporter's sessions and for `subscribe`. A
 * connection asks first: the service refuses it while another session of the key is open, and then nothing is associated,
 * because it would take the list from that session.
 */
import { redactor } from '../../../secrets/redaction.ts';
import { type ConnectionSettings, WebSocketConnection } from '../../../stream/websocket-connection.ts';
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

/** What the stream answered a connection with the key. `unknown`: nothing. */
export type StreamAnswer =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused' | 'unknown'; readonly text: string };

export interface ClaimRequest extends AssociationRequest {
  /** The stream is not asked, because the key's one session is ours, or because its list is to be taken from whoever has it. */
  readonly isOurs: boolean;
  /** With the key in it: never printed. */
  readonly streamUrl: URL;
  readonly connection: ConnectionSettings;
  /** Called before a service is asked. */
  readonly onAsk: (service: AskedService) => void;
}

/** Associates when the stream accepts us, and when it refuses us for what the association may mend. */
export async function associateIfFree(
  answer: StreamAnswer,
  associate: () => Promise<AssociationResult>,
): Promise<ClaimResult> {
  if (answer.kind === 'accepted') return associate();
  const { kind, text } = answer;
  const meaning = kind === 'refused' ? refusalMeaning(text) : 'too_often';
  if (meaning === 'other') return associate();
  return { kind: meaning === 'another_session' ? 'in_use' : 'unknown', text };
}

/** Never rejects, and nothing that it returns holds the key. The connection is closed when it resolves. */
export async function claimKey(asked: ClaimRequest): Promise<ClaimResult> {
  const { streamUrl, connection: settings, userAgent, timers, signal } = asked;
  if (signal.aborted) return { kind: 'error', text: 'stopped' };
  const associate = () => {
    asked.onAsk('live_manager');
    return associatePrefixes(asked);
  };
  if (asked.isOurs) return associate();
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
    if (answer === 'accepted') return await associateIfFree({ kind: 'accepted' }, associate);
    const text = answer.detail === '' ? answer.reason : answer.detail;
    return await associateIfFree({ kind: answer.refused ? 'refused' : 'unknown', text }, associate);
  } finally {
    signal.removeEventListener('abort', onAbort);
    connection.close();
    await connection.ended;
  }
}
