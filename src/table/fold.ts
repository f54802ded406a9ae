/** Applies decoded updates to the table, and counts by session what was not applied and why. */

import type { PeerState, RouteUpdate } from '../bgp/route-event.ts';
import { attributeFingerprint, type DecodedUpdates } from '../bgp/route-integers.ts';
import { PrefixState } from './prefixes/prefix-state.ts';
import type { RoutingTable } from './routing-table.ts';
import { PATH_LIMIT } from './store/path-table.ts';
import { hashText } from './store/text-index.ts';
import { VP_LIMIT } from './store/vp-registry.ts';

/** Why a decoded event was not applied. Closed list: it becomes a label. */
export const DROP_REASONS = [
  'out_of_order', // older than what is held
  'seeded', // held while seeding, and older than what the seed brought: nothing is lost
  'vp_limit', // no room for a further VP: every known one has a route, or is expected to have one
  'more_specific_limit',
  'path_limit', // long AS paths take as many bytes as they may; the VP's route stays as it was
  'other_session', // another session answers for the prefix
  'other_source', // another source owns the VP
  'hold_overflow', // too many while seeding; a gap fill follows
] as const;
export type DropReason = (typeof DROP_REASONS)[number];
/** The reason by which an event is counted that is older than what the table has. */
export type LateReason = 'out_of_order' | 'seeded';

/**
 * A time below one second means that the message has no time: the service writes 0, or leaves the seconds out, when it does not
 * know them.
 */
export const FIRST_TIME_US = 1_000_000;

/** Most prefixes of an update in words that are applied in one step: at worst some 2 ms of work. */
export const PREFIXES_A_STEP = 256;

/** What became of the events of one session, since start. */
export class FoldCounts {
  readonly dropped: Record<DropReason, number> = {
    out_of_order: 0,
    seeded: 0,
    vp_limit: 0,
    more_specific_limit: 0,
    path_limit: 0,
    other_session: 0,
    other_source: 0,
    hold_overflow: 0,
  };
  unmonitoredPrefixes = 0;
  /** Messages stamped ahead of their receipt; their time is that of their receipt. */
  futureTimestamps = 0;
  /** Messages without a time; their time is that of their receipt. */
  untimed = 0;
  /** Messages of VPs whose clock is behind. When such a message is compared with the history, the difference is added. */
  slowClocks = 0;
}

/** What a message about a VP's session changed. */
export interface PeerChange {
  /** Below 0: the table does not know the VP. */
  readonly vp: number;
  /** The place of another source to which the VP passed; -1: none. */
  readonly heir: number;
}

export class Fold {
  readonly table: RoutingTable;

  constructor(table: RoutingTable) {
    this.table = table;
  }

  /**
   * Applies an update in words. Withdrawals first, then announcements (RFC 4271 section 3.1); a prefix in both was only
   * announced (section 4.3).
   * @param session the place of the stream's session
   * @param late the reason by which an event is counted that is older than what the table has
   */
  apply(
    update: RouteUpdate,
    session: number,
    counts: FoldCounts,
    nowMs: number,
    late: LateReason = 'out_of_order',
  ): void {
    const steps = this.steps(update, session, counts, nowMs, late);
    while (steps.next().done !== true);
  }

  /**
   * Applies an update in steps of at most PREFIXES_A_STEP prefixes, the first by the first call of `next`. Between two steps
   * anything may happen to the table except another event of the session.
   */
  *steps(
    update: RouteUpdate,
    session: number,
    counts: FoldCounts,
    nowMs: number,
    late: LateReason = 'out_of_order',
  ): Generator<void, void> {
    const { table } = this;
    const { withdrawn, announced } = update;
    const announcedToo = withdrawn.length > 0 ? new Set(announced) : NONE;
    const count = withdrawn.length + announced.length;
    let timeUs: number | undefined;
    for (let from = 0; ; from += PREFIXES_A_STEP) {
      const vp = table.addVp(update.vp); // its number may have passed to another VP since the last step
      if (vp === VP_LIMIT) {
        counts.dropped.vp_limit += count - from;
        return;
      }
      if (timeUs === undefined) {
        table.hear(vp, nowMs, table.ownership.sourceOf(session));
        timeUs = this.#plausibleTime(vp, update.timeUs, counts, nowMs);
      }
      const end = from + PREFIXES_A_STEP;
      for (const text of withdrawn.slice(from, end)) {
        const state = this.#resolve(text, vp, session, counts);
        if (state === undefined || announcedToo.has(text)) continue;
        if (table.withdraw(state, vp, timeUs, nowMs) === 'out_of_order') counts.dropped[late]++;
      }
      if (end > withdrawn.length) {
        const some = announced.slice(Math.max(0, from - withdrawn.length), end - withdrawn.length);
        this.#announce(some, update, vp, timeUs, session, counts, nowMs, late);
      }
      if (end >= count) return;
      yield;
    }
  }

  /** Announces some of the update's prefixes. */
  #announce(
    prefixes: readonly string[],
    { vp: { asn }, attributes }: RouteUpdate,
    vp: number,
    timeUs: number,
    session: number,
    counts: FoldCounts,
    nowMs: number,
    late: LateReason,
  ): void {
    if (attributes === undefined) return;
    const { paths } = this.table;
    const { asPath, communities, nextHop, originAttribute } = attributes;
    const fingerprint = attributeFingerprint(hashText(communities), hashText(nextHop), hashText(originAttribute));
    let path: number | undefined;
    for (const text of prefixes) {
      const state = this.#resolve(text, vp, session, counts);
      if (state === undefined) continue;
      path ??= paths.intern(asPath, asn);
      if (path === undefined) return;
      if (path === PATH_LIMIT) counts.dropped.path_limit++;
      else if (this.table.announce(state, vp, path, fingerprint, timeUs, nowMs) === 'out_of_order')
        counts.dropped[late]++;
    }
    if (path !== undefined && path !== PATH_LIMIT) paths.discard(path);
  }

  /** Applies frames that came as integers, one after the other. Releases their paths. */
  applyIntegers(
    frames: DecodedUpdates,
    session: number,
    counts: FoldCounts,
    nowMs: number,
    late: LateReason = 'out_of_order',
  ): void {
    const table = this.table;
    const { count, vps, timesUs, paths, fingerprints, prefixes, withdrawnEnds, announcedEnds, unmonitored } = frames;
    const source = table.ownership.sourceOf(session);
    table.prefetch(frames);
    let at = 0;
    for (let frame = 0; frame < count; frame++) {
      const vp = vps[frame];
      table.hear(vp, nowMs, source);
      const timeUs = this.#plausibleTime(vp, timesUs[frame], counts, nowMs);
      counts.unmonitoredPrefixes += unmonitored[frame];
      const withdrawnEnd = withdrawnEnds[frame];
      const announcedEnd = announcedEnds[frame];
      // A message that both announces and withdraws is rare.
      const announcedToo =
        at < withdrawnEnd && withdrawnEnd < announcedEnd
          ? new Set(prefixes.subarray(withdrawnEnd, announcedEnd))
          : NONE;
      for (; at < withdrawnEnd; at++) {
        const state = table.prefixes.get(prefixes[at] - 1);
        if (state === undefined || !this.#owns(state, vp, session, source, counts) || announcedToo.has(prefixes[at]))
          continue;
        if (table.withdraw(state, vp, timeUs, nowMs) === 'out_of_order') counts.dropped[late]++;
      }
      if (at === announcedEnd) continue;
      const path = paths[frame];
      const fingerprint = fingerprints[frame];
      for (; at < announcedEnd; at++) {
        const state = table.prefixes.get(prefixes[at] - 1);
        if (state === undefined || !this.#owns(state, vp, session, source, counts)) continue;
        if (table.announce(state, vp, path, fingerprint, timeUs, nowMs) === 'out_of_order') counts.dropped[late]++;
      }
      table.paths.release(path);
    }
  }

  /**
   * A VP that goes down takes its routes with it at once. One that is up again is not expected before it has sent something, so
   * the news that it is up changes nothing.
   * @param session the one by which the peer state was heard
   */
  applyPeerState({ vp, up, timeUs }: PeerState, session: number, counts: FoldCounts, nowMs: number): PeerChange {
    const { table } = this;
    const number = table.vps.find(vp);
    const source = table.ownership.sourceOf(session);
    if (up || number < 0 || !table.isDeliveredBy(number, source)) return { vp: number, heir: -1 };
    return { vp: number, heir: table.setVpDown(number, this.#plausibleTime(number, timeUs, counts, nowMs), source) };
  }

  /**
   * The message's time; its receipt when it has no time, or when the sender's clock is ahead, because such a time would keep
   * later messages out.
   */
  #plausibleTime(vp: number, timeUs: number, counts: FoldCounts, nowMs: number): number {
    if (timeUs >= FIRST_TIME_US && !this.table.clock.isAhead(timeUs, nowMs)) return timeUs;
    if (timeUs < FIRST_TIME_US) {
      counts.untimed++;
      // This is what the VP's clock would have stamped, so that the message is in order with the VP's other messages.
      return this.table.clock.serviceNowUs(nowMs) - this.table.vps.clockOffsetUs[vp];
    }
    counts.futureTimestamps++;
    return this.table.clock.serviceNowUs(nowMs);
  }

  /**
   * A more-specific gets a state with its first event, also when that is a withdrawal: an announcement that is older and
   * comes later would otherwise stay for ever. Nobody holds it, so it gives way to whatever needs the room.
   */
  #resolve(text: string, vp: number, session: number, counts: FoldCounts): PrefixState | undefined {
    const state = this.table.prefixes.resolve(text, true);
    const source = this.table.ownership.sourceOf(session);
    if (state instanceof PrefixState) return this.#owns(state, vp, session, source, counts) ? state : undefined;
    if (state === 'unmonitored') counts.unmonitoredPrefixes++;
    else if (state === 'more_specific_limit') counts.dropped.more_specific_limit++;
    return undefined;
  }

  /**
   * Whether the session's word about the VP counts. Where monitored prefixes of two sessions are nested, both deliver the
   * inner one: the sessions of the nearest one count.
   */
  #owns(state: PrefixState, vp: number, session: number, source: number, counts: FoldCounts): boolean {
    const nearest = state.monitored ?? state.parents[0];
    if (nearest.firstSession !== session && !nearest.watched.sessions.includes(session)) {
      counts.dropped.other_session++;
      return false;
    }
    // This is the usual case: no other source could own the VP.
    if ((nearest.current & ~(1 << source)) === 0) return true;
    if (this.table.ownership.counts(nearest.current, vp, source)) return true;
    counts.dropped.other_source++;
    return false;
  }
}

const NONE: ReadonlySet<unknown> = new Set();
