/**
 * One message of the live stream, and the frames made of it. What does not change between clients and sendings is
 * serialised once: a frame is then the copy of two or three buffers with the time in between.
 */
import type { Route } from '../../internet/routes/route.ts';
import type { SimulatedVantagePoint } from '../../internet/vantage-points.ts';

/**
 * Text of a frame. With `middle` and `tail`, the seconds go between head and middle and the microseconds between middle
 * and tail; without, the text is complete, times included.
 */
export interface WireTemplate {
  readonly head: Buffer;
  readonly middle: Buffer | undefined;
  readonly tail: Buffer | undefined;
}

/** The frame's text, with its time. */
export function payloadOf({ head, middle, tail }: WireTemplate, timeUs: number): Buffer {
  if (middle === undefined || tail === undefined) return head;
  const seconds = Math.floor(timeUs / 1_000_000);
  const [sec, usec] = [String(seconds), String(timeUs - seconds * 1_000_000)];
  const payload = Buffer.allocUnsafe(head.length + sec.length + middle.length + usec.length + tail.length);
  let at = head.copy(payload);
  at += payload.write(sec, at, 'latin1');
  at += middle.copy(payload, at);
  at += payload.write(usec, at, 'latin1');
  tail.copy(payload, at);
  return payload;
}

export interface PrefixList {
  /** As printed in the message. */
  readonly texts: readonly string[];
  /** The same prefixes by number; -1 for a text that is not a prefix. */
  readonly numbers: readonly number[];
}

/** Where the time, the announced and the withdrawn prefixes go among the message's fields. */
export type Field =
  | { readonly kind: 'text'; readonly key: string; readonly json: string }
  | { readonly kind: 'time' }
  | { readonly kind: 'announced'; readonly key: string }
  | { readonly kind: 'withdrawn'; readonly key: string; readonly asArray: boolean };

/** Fields about announced prefixes, which a message that only withdraws does not have. */
const ATTRIBUTE_KEYS: ReadonlySet<string> = new Set(['as-path', 'communities', 'nexthop', 'origin']);

export class StreamMessage {
  readonly announced: PrefixList;
  readonly withdrawn: PrefixList;
  /** Its number in a recording, as whose part it will come again; undefined for one that is sent once. */
  readonly recordedAs: number | undefined;
  readonly #fields: () => readonly Field[];
  #whole: WireTemplate | undefined;

  /** @param fields asked for when a frame is made, which for most messages of a recording never happens. */
  constructor(fields: () => readonly Field[], announced: PrefixList, withdrawn: PrefixList, recordedAs?: number) {
    this.#fields = fields;
    this.announced = announced;
    this.withdrawn = withdrawn;
    this.recordedAs = recordedAs;
  }

  /** The message with only those prefixes that are wanted; undefined when there are none. */
  part(isWanted: (prefix: number) => boolean): WireTemplate | undefined {
    const announced = wantedOf(this.announced, isWanted);
    const withdrawn = wantedOf(this.withdrawn, isWanted);
    if (announced.length === 0 && withdrawn.length === 0) return undefined;
    if (announced.length === this.announced.texts.length && withdrawn.length === this.withdrawn.texts.length) {
      return (this.#whole ??= this.#template(announced, withdrawn));
    }
    return this.#template(announced, withdrawn);
  }

  #template(announced: readonly string[], withdrawn: readonly string[]): WireTemplate {
    const parts = ['{'];
    const append = (key: string, json: string): void => {
      const last = parts.length - 1;
      parts[last] += `${parts[last] === '{' ? '' : ','}${JSON.stringify(key)}:${json}`;
    };
    for (const field of this.#fields()) {
      switch (field.kind) {
        case 'text':
          if (announced.length > 0 || !ATTRIBUTE_KEYS.has(field.key)) append(field.key, field.json);
          break;
        case 'time':
          append('sec', '');
          parts.push(',"Usec":', '');
          break;
        case 'announced':
          if (announced.length > 0) append(field.key, JSON.stringify(announced.join(',')));
          break;
        case 'withdrawn':
          if (withdrawn.length > 0) {
            append(field.key, JSON.stringify(field.asArray ? withdrawn : withdrawn.join(',')));
          }
          break;
      }
    }
    parts[parts.length - 1] += '}';
    const [head, middle, tail] = parts.map((part) => Buffer.from(part));
    return { head, middle, tail };
  }
}

function wantedOf(list: PrefixList, isWanted: (prefix: number) => boolean): readonly string[] {
  const wanted = list.texts.filter((_, i) => isWanted(list.numbers[i]));
  return wanted.length === list.texts.length ? list.texts : wanted;
}

/** How withdrawn prefixes are spelt: nobody has documented it. */
export interface WithdrawStyle {
  readonly key: string;
  readonly asArray: boolean;
}

export const NO_PREFIXES: PrefixList = { texts: [], numbers: [] };

/** What one VP says of some prefixes, in the order of fields that the recordings have. */
export function updateMessage(
  vp: SimulatedVantagePoint,
  announced: PrefixList,
  route: Route | undefined,
  withdrawn: PrefixList,
  style: WithdrawStyle,
): StreamMessage {
  const text = (key: string, value: string): Field => ({ kind: 'text', key, json: JSON.stringify(value) });
  const speaker = vp.parent ?? vp;
  const fields: Field[] = [
    text('record_type', vp.protocol === 'bmp' ? 'bmp_update' : 'update'),
    text('vp', `${speaker.asn}_${speaker.ip}`),
  ];
  if (vp.parent !== undefined) fields.push(text('bmp_peer', `${vp.asn}_${vp.ip}`));
  fields.push({ kind: 'time' }, { kind: 'announced', key: 'prefixes' });
  if (route !== undefined) {
    fields.push(text('as-path', route.asPath), text('communities', route.communities));
    if (route.nextHop !== '') fields.push(text('nexthop', route.nextHop));
    if (route.originAttribute !== '') fields.push(text('origin', route.originAttribute));
  }
  fields.push({ kind: 'withdrawn', key: style.key, asArray: style.asArray });
  return new StreamMessage(() => fields, announced, withdrawn);
}
