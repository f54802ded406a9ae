/**
 * What a refusal of the live stream means. The service says it in words that it may change, so the words are looked for
 * loosely; a refusal that is not understood is no reason to hold back.
 */

import { parseJson } from '../../../input/json.ts';

/** A refusal is a short sentence; a longer frame that begins like one is left to the decoder. */
const MAX_REFUSAL_BYTES = 16 * 1024;

/** Longer texts are no sentence of the service. */
const MAX_TEXT = 1_000;

/** Somebody who has the key's one place: a session, a client, a connection. */
const HOLDER = /\b(session|client|connection|connected|consumer|stream)s?\b/;
/** Words that say that it is another session than ours: another one, a second one, one that is there already. */
const OTHER =
  /\b(another|other|already|duplicated?|duplicates?|second|concurrent|simultaneous|existing|multiple|in use|only one|one (active |open )?(session|client|connection|stream))\b/;
/** Words of refusals for other reasons, which speak of sessions and keys too. */
const NOT_ANOTHER =
  /\b(no|without|invalid|expired|unknown|missing|not)\b[^.;:]*\b(prefix(es)?|api[ _-]?key|key|token)\b/;
const TOO_MANY = /\btoo many (active |open |concurrent |simultaneous )?(sessions|clients|connections)\b/;
const TOO_OFTEN = /^http status 429\b|\brate limit|\btoo many (requests|attempts)\b/;
const KEY_IN_USE = /\b(api[ _-]?key|key|token)\b[^.;:]*\b(in use|already used|being used|used elsewhere|used by)\b/;

/** Why the service refuses a session; `other`: any other reason, a key without prefixes among them. */
export type RefusalMeaning = 'another_session' | 'too_often' | 'other';

/**
 * What a refusal says. PROTOCOL: the service has one session a key, and refuses a second one with `{"error": TEXT}`.
 * @param text what the server said: `Another session is open for this API key`, `HTTP status 409: …`, `close code 1008: …`
 */
export function refusalMeaning(text: string): RefusalMeaning {
  const said = text.slice(0, MAX_TEXT).toLowerCase();
  if (TOO_OFTEN.test(said)) return 'too_often';
  if (TOO_MANY.test(said) || KEY_IN_USE.test(said) || /^http status 409\b/.test(said)) return 'another_session';
  return HOLDER.test(said) && OTHER.test(said) && !NOT_ANOTHER.test(said) ? 'another_session' : 'other';
}

/**
 * The text of a refusal, `{"error": TEXT}`; undefined for any other frame. Called for every frame: one that does not begin
 * with `{`, blanks and `"error"` is told apart by its first bytes.
 */
export function refusalText(frame: Buffer): string | undefined {
  if (frame[0] === 0x7b && frame[1] === 0x22 && frame[2] !== 0x65) return undefined; // {" and not e: nearly every frame
  if (frame.length > MAX_REFUSAL_BYTES || !/^\s*\{\s*"error"\s*:/.test(frame.toString('latin1', 0, 64)))
    return undefined;
  const value = parseJson(frame.toString()) as { readonly error: unknown; readonly record_type?: unknown } | undefined;
  if (value === undefined) return undefined; // cut or broken: the decoder's to refuse
  if (value.record_type !== undefined) return undefined; // a message of the stream, with a key of that name
  return typeof value.error === 'string' ? value.error : JSON.stringify(value.error);
}
