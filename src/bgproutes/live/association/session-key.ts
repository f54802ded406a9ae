/** The key of a session, which may be replaced while an attempt with the one before is under way. */
import { redactor } from '../../../secrets/redaction.ts';

export class SessionKey {
  readonly #session: { readonly apiKey: string };
  /** Every key that the session has ever had: none may show. */
  readonly #all = new Set<string>();
  #tried = '';
  #isRetryDue = false;

  /** @param session its `apiKey` is read whenever it is needed */
  constructor(session: { readonly apiKey: string }) {
    this.#session = session;
    this.#all.add(session.apiKey);
  }

  /** A secret. */
  get text(): string {
    return this.#session.apiKey;
  }

  readonly redact = (text: string): string => redactor(this.#all)(text);

  /** An attempt begins. */
  try(): void {
    this.#tried = this.text;
  }

  /** Whether the attempt under way, or the connection, was made with another key. */
  get isOutdated(): boolean {
    return this.#tried !== this.text;
  }

  /** It is another one now. @param isConnected without a connection the attempt that fails next is followed by another at once */
  replaced(isConnected: boolean): void {
    this.#all.add(this.text);
    this.#isRetryDue = !isConnected;
  }

  /** Whether the next attempt is due at once; asked once. */
  takeRetry(): boolean {
    const isDue = this.#isRetryDue;
    this.#isRetryDue = false;
    return isDue;
  }
}
