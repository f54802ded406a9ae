/** Up to which event each prefix was restored: the same event must not be applied to it twice. */
import { parsePrefix } from '../../bgp/prefix.ts';
import type { RouteUpdate } from '../../bgp/route-event.ts';
import type { RoutingTable } from '../../table/routing-table.ts';
import { encodeUpdate } from '../message.ts';

export class RestoredOffsets {
  readonly #table: RoutingTable;
  readonly #decode: (message: Buffer) => RouteUpdate | undefined;
  /** By monitored prefix: the offset of the first event that its restored state does not include. */
  readonly #first = new Map<string, number>();
  #highest = 0;

  /** @param decode reads one message in words; undefined: it cannot be read */
  constructor(table: RoutingTable, decode: (message: Buffer) => RouteUpdate | undefined) {
    this.#table = table;
    this.#decode = decode;
  }

  /** @param first offset of the first event that the restored state of the monitored prefix does not include */
  set(prefix: string, first: number): void {
    this.#first.set(prefix, first);
    this.#highest = Math.max(this.#highest, first);
  }

  clear(): void {
    this.#first.clear();
    this.#highest = 0;
  }

  /** Whether the state of the monitored prefix includes the event. */
  includes(prefix: string, offset: number): boolean {
    return offset < (this.#first.get(prefix) ?? 0);
  }

  /** The messages of an event without the prefixes whose restored state includes it. */
  newOf(messages: readonly Buffer[], offset: number): readonly Buffer[] {
    if (offset >= this.#highest) return messages;
    return messages.flatMap((message) => {
      const update = this.#decode(message);
      if (update === undefined) return [message];
      const isNew = (prefix: string) => !this.#isIncluded(prefix, offset);
      const [withdrawn, announced] = [update.withdrawn.filter(isNew), update.announced.filter(isNew)];
      return withdrawn.length + announced.length === 0 ? [] : [encodeUpdate(update, withdrawn, announced)];
    });
  }

  #isIncluded(prefix: string, offset: number): boolean {
    const state = this.#table.prefixes.find(prefix);
    const owner = state?.monitored ?? state?.parents[0];
    const name = owner?.state.prefix.text ?? this.#around(prefix);
    return name !== undefined && this.includes(name, offset);
  }

  /** The nearest monitored prefix around one without state. */
  #around(text: string): string | undefined {
    const inner = parsePrefix(text);
    if (inner === undefined) return undefined;
    const state = this.#table.prefixes.stateFor(inner, false);
    return typeof state === 'string' ? undefined : state.parents[0]?.state.prefix.text;
  }
}
