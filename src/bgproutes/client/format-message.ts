/**
 * Messages as lines of fields between `|`, as the service's documentation and its Python client print them.
 *
 * The formats are documented by their fields alone. What is written into them follows from how Python prints what the
 * message holds: the time is a float (`1700000000.25`, `1700000000.0`), prefixes are joined by commas, AS path, communities,
 * ORIGIN and next hop stand as they came, and what a message does not have is empty.
 */
import type { LiveMessage } from '../../bgp/live-message.ts';

/** What `formatMessage` takes. */
export interface FormatOptions {
  /**
   * `v1`: `TIMESTAMP|MSG_TYPE|VP_ASN|VP_IP|PREFIXES|ASPATH|COMMUNITIES|ORIGIN|NEXTHOP`, as documented by the service;
   * `v2`: `TIMESTAMP|MSG_TYPE|PROTOCOL|VP_ASN|VP_IP|PARENT_ASN|PARENT_IP|PREFIXES|ASPATH|COMMUNITIES|ORIGIN|NEXTHOP`, as
   * its newer client prints. Default `v2`.
   */
  readonly style?: 'v1' | 'v2';
}

/** What would break the line or its fields, or a terminal. No path attribute has it, but the text is a stranger's. */
const UNSAFE = /[|\p{C}\u2028\u2029]/gu;

/** One line without its newline; MSG_TYPE is `U` for an announcement and `W` for a withdrawal. */
export function formatMessage(message: LiveMessage, { style = 'v2' }: FormatOptions = {}): string {
  const { vp, prefixes, timestampUs } = message;
  const speaker =
    style === 'v1' ? [vp.asn, vp.ip] : [vp.protocol, vp.asn, vp.ip, vp.parent?.asn ?? '', vp.parent?.ip ?? ''];
  const type = message.type === 'announcement' ? 'U' : 'W';
  const attributes =
    message.type === 'announcement'
      ? [message.asPath, message.communities, message.originAttribute, message.nextHop]
      : ['', '', '', ''];
  const fields = [formatTime(timestampUs), type, ...speaker, prefixes.join(','), ...attributes.map(oneField)];
  return fields.join('|');
}

function oneField(text: string): string {
  return text.replace(UNSAFE, ' ');
}

/** `sec + Usec / 1e6` as Python prints it: the shortest text that reads back as the same double, always with a point. */
function formatTime(timestampUs: number): string {
  const whole = Math.floor(timestampUs / 1_000_000);
  const seconds = whole + (timestampUs - whole * 1_000_000) / 1_000_000;
  // Below a ten-thousandth Python turns to an exponent of at least two digits.
  if (seconds > 0 && seconds < 0.0001) return seconds.toExponential().replace(/e-(\d)$/, 'e-0$1');
  return Number.isInteger(seconds) ? `${seconds}.0` : String(seconds);
}
