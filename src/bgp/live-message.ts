/** What the clients hand to programs: one announcement or withdrawal of one vantage point. Plain data, safe to serialise. */
import { type AsPath, parseAsPath, pathFacts } from './as-path.ts';
import type { RouteUpdate } from './route-event.ts';
import type { VantagePoint } from './vantage-point.ts';

/** What announcements and withdrawals have in common. */
export interface MessageFields {
  /** Unix seconds; microseconds are its fraction. Below 1 when the message has no time. */
  readonly timestamp: number;
  /** The same as whole Unix microseconds: what `timestamp` was made of. */
  readonly timestampUs: number;
  /** Who says so: `asn`, `ip`, `protocol` (`bgp` or `bmp`), and for BMP the monitored router as `parent`. */
  readonly vp: VantagePoint;
  /** Announced or withdrawn prefixes in canonical text (dotted decimal, RFC 5952), at least one. */
  readonly prefixes: readonly string[];
}

/** The vantage point's route to these prefixes, from now on. */
export interface Announcement extends MessageFields {
  readonly type: 'announcement';
  /** AS path as the collector printed it, nearest AS first: `3333 1103 64500`. May be empty. */
  readonly asPath: string;
  /** The same, parsed: AS numbers, and AS_SETs and confederation segments as objects. */
  readonly asPathElements: AsPath;
  /** Last AS of the path; an AS_SET as `{64501,64502}`; of an empty path the vantage point's own AS (RFC 6811). */
  readonly origin: number | string;
  /** The AS (or set) next to the origin, prepends skipped; undefined when there is none. */
  readonly upstream: number | string | undefined;
  /** Blank separated, as it came: `3333:100 64500:1:2`. May be empty. */
  readonly communities: string;
  readonly communityList: readonly string[];
  /** As it came; IPv6 may have two addresses (global, link-local). Empty when the message has none. */
  readonly nextHop: string;
  readonly nextHops: readonly string[];
  /** The ORIGIN attribute: `IGP`, `EGP`, `INCOMPLETE`, or a number as text. Empty when the message has none. */
  readonly originAttribute: string;
}

/** The vantage point has no route to these prefixes any more. */
export interface Withdrawal extends MessageFields {
  readonly type: 'withdrawal';
}

/** Told apart by `type`. */
export type LiveMessage = Announcement | Withdrawal;

/** An update that both withdraws and announces gives two messages, the withdrawal first (RFC 4271 section 3.1). */
export function messagesOf({ vp, timeUs, withdrawn, announced, attributes }: RouteUpdate): LiveMessage[] {
  const fields = { timestamp: timeUs / 1_000_000, timestampUs: timeUs, vp };
  const messages: LiveMessage[] = [];
  if (withdrawn.length > 0) messages.push({ type: 'withdrawal', ...fields, prefixes: withdrawn });
  if (announced.length > 0 && attributes !== undefined) {
    const { asPath, communities, nextHop, originAttribute } = attributes;
    const asPathElements = parseAsPath(asPath) ?? []; // the decoder lets no other path through
    const { origin, upstream } = pathFacts(asPathElements, vp.asn);
    messages.push({
      type: 'announcement',
      ...fields,
      prefixes: announced,
      asPath,
      asPathElements,
      origin,
      upstream,
      communities,
      communityList: words(communities),
      nextHop,
      nextHops: words(nextHop),
      originAttribute,
    });
  }
  return messages;
}

function words(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '');
}
