/** What a frame decodes to, flattened so that a test can name only the facts that it is about. */
import { parseAsPath, pathFacts } from '../../src/bgp/as-path.ts';
import { vantagePointKey } from '../../src/bgp/vantage-point.ts';
import type { DecodeResult } from '../../src/bgproutes/live/message.ts';

export interface MessageFacts {
  /** Of a frame that gave no event. */
  readonly reason?: string;
  readonly keys?: readonly string[];
  readonly failures?: readonly string[];
  readonly guessedKey?: string;
  readonly vp?: string;
  readonly timeUs?: number;
  readonly announced?: readonly string[];
  readonly announcedCount?: number;
  readonly withdrawn?: readonly string[];
  readonly withdrawnCount?: number;
  readonly origin?: number | string;
  readonly upstream?: number | string;
  readonly length?: number;
  readonly prepended?: boolean;
  readonly communities?: string;
  readonly communityCount?: number;
  readonly nextHop?: string;
  readonly originAttribute?: string;
}

export function messageFacts(result: DecodeResult): MessageFacts {
  if (!result.ok) return { reason: result.reason, ...(result.keys && { keys: result.keys }) };
  const { update, failures, guessedKey } = result;
  const { attributes } = update;
  return {
    failures,
    ...(guessedKey !== undefined && { guessedKey }),
    vp: vantagePointKey(update.vp),
    timeUs: update.timeUs,
    announced: update.announced,
    announcedCount: update.announced.length,
    withdrawn: update.withdrawn,
    withdrawnCount: update.withdrawn.length,
    ...(attributes && {
      ...pathFacts(parseAsPath(attributes.asPath)!, update.vp.asn),
      communities: attributes.communities,
      communityCount: attributes.communities.split(' ').filter((one) => one !== '').length,
      nextHop: attributes.nextHop,
      originAttribute: attributes.originAttribute,
    }),
  };
}
