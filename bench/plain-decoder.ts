/** What one would write first: JSON.parse, split, and a Map for each kind of text. Gives the same integers. */

interface StreamMessage {
  readonly record_type: string;
  readonly vp: string;
  readonly bmp_peer?: string;
  readonly sec: number;
  readonly Usec?: number;
  readonly prefixes?: string;
  readonly withdraws?: string;
  readonly 'as-path'?: string;
  readonly communities?: string;
  readonly nexthop?: string;
  readonly origin?: string;
}

/** Numbers texts in the order in which they come. */
export class Interned {
  readonly #numbers = new Map<string, number>();

  get(text: string): number {
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(text, number);
    }
    return number;
  }
}

export class PlainDecoder {
  vp = 0;
  timeUs = 0;
  path = 0;
  attributes = 0;
  announced: number[] = [];
  withdrawn: number[] = [];
  readonly #vps = new Interned();
  readonly #prefixes = new Interned();
  readonly #paths = new Interned();
  readonly #attributes = new Interned();

  decode(bytes: Buffer): void {
    const message = JSON.parse(bytes.toString()) as StreamMessage;
    this.vp = this.#vps.get(message.record_type === 'bmp_update' ? `${message.vp} ${message.bmp_peer}` : message.vp);
    this.timeUs = message.sec * 1_000_000 + (message.Usec ?? 0);
    this.withdrawn = message.withdraws === undefined ? [] : this.#list(message.withdraws);
    this.announced = message.prefixes === undefined ? [] : this.#list(message.prefixes);
    if (this.announced.length === 0) return;
    this.path = this.#paths.get(message['as-path'] ?? '');
    this.attributes = this.#attributes.get(`${message.communities}|${message.nexthop}|${message.origin}`);
  }

  #list(text: string): number[] {
    return text.split(',').map((prefix) => this.#prefixes.get(prefix));
  }
}
