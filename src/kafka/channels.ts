/** Numbers of channels: what keeps its order is a partition, or of bare BMP the records of one key in it. */

/** Most channels of keys, over all partitions. Records of further keys count as the partition's own channel. */
const MAX_KEYED = 16_384;

/** Longest key that makes a channel, bytes. */
const MAX_KEY = 256;

export class Channels {
  readonly #byPlace = new Map<string, Map<string, number>>();
  #keyed = 0;
  #next = 0;

  /** @param key undefined for the partition's own */
  of(topic: string, partition: number, key?: Buffer): number {
    const place = `${topic} ${partition}`;
    let channels = this.#byPlace.get(place);
    if (channels === undefined) this.#byPlace.set(place, (channels = new Map()));
    // An empty key counts as no key, so the text is never empty here.
    const name = key === undefined || key.length > MAX_KEY ? '' : key.toString('latin1');
    const known = channels.get(name);
    if (known !== undefined) return known;
    if (name !== '' && this.#keyed >= MAX_KEYED) return this.of(topic, partition);
    if (name !== '') this.#keyed++;
    const channel = this.#next++;
    channels.set(name, channel);
    return channel;
  }

  /** Forgets the channels of a partition, and gives them. Their numbers are not used again. */
  remove(topic: string, partition: number): readonly number[] {
    const place = `${topic} ${partition}`;
    const channels = this.#byPlace.get(place);
    if (channels === undefined) return [];
    this.#byPlace.delete(place);
    this.#keyed -= channels.size - (channels.has('') ? 1 : 0);
    return [...channels.values()];
  }
}
