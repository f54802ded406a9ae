/** What a decoder has to say to the operator about what a session delivers: each remark is logged once. */
import type { Logger } from '../logger.ts';

/** Different remarks about one session that are logged; further ones are not. */
const MAX_REMARKS = 32;

export class Remarks {
  readonly #logger: Logger;
  readonly #session: string;
  readonly #noted = new Set<string>();

  /** @param session its name in the log */
  constructor(logger: Logger, session: string) {
    this.#logger = logger;
    this.#session = session;
  }

  note(text: string, fields: Readonly<Record<string, string>>): void {
    const remark = `${text} ${Object.values(fields).join()}`;
    if (this.#noted.size >= MAX_REMARKS || this.#noted.has(remark)) return;
    this.#noted.add(remark);
    this.#logger.warn(text, { session: this.#session, ...fields });
  }
}
