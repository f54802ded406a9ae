/**
 * Whether a session that used to speak has fallen silent. A renewal of its list cannot tell whether the list was somebody
 * else's before it; silence where there was none hints at it.
 */

/** After this many messages between two renewals, silence between the next two has a chance of 1 in 20,000. */
const TALKATIVE = 10;

export class Silence {
  #updates = 0;
  /** Messages between the last two renewals. */
  #before = 0;

  /** A connection begins. @param updates messages about routes until now */
  begin(updates: number): void {
    this.#updates = updates;
    this.#before = 0;
  }

  /** The list was renewed. Gives whether many messages came before the last renewal, and none since. */
  renewed(updates: number): boolean {
    const came = updates - this.#updates;
    const isSilent = came === 0 && this.#before >= TALKATIVE;
    this.begin(updates);
    this.#before = came;
    return isSilent;
  }
}
