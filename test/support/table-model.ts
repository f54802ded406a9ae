/**
 * The routing table once more, as plainly as possible: maps of maps, every total counted by walking. It is told what the
 * real table is told and says what must come of it.
 */
import type { Speaker, VantagePoint } from '../../src/bgp/vantage-point.ts';
import type { WatchedPrefix } from '../../src/table/prefixes/prefix-state.ts';

/** A path with its facts, written down by hand; `ownOrigin` when the VP's AS is the origin. */
export interface ModelPath {
  readonly text: string;
  readonly canonical: string;
  readonly origin: string | 'own';
  readonly upstream: string | undefined;
  readonly length: number;
  readonly prepended: boolean;
}

export interface ModelUpdate {
  readonly vp: VantagePoint;
  readonly timeUs: number;
  readonly withdrawn: readonly string[];
  readonly announced: readonly string[];
  readonly path: ModelPath;
  readonly attributes: string;
}

export interface ModelOptions {
  readonly maxVps: number;
  readonly maxMoreSpecifics: number;
  readonly windowMs: number;
  readonly ttlMs: number;
}

export interface ModelCell {
  path: ModelPath | undefined;
  /** Undefined: unknown. */
  attributes: string | undefined;
  timeUs: number;
  /** Unix second of the loss while the VP still counts as expected. */
  lostAt: number | undefined;
}

export interface ModelVp {
  readonly vp: VantagePoint;
  heardMs: number;
  down: boolean;
  counted: boolean;
  full: { ipv4: boolean; ipv6: boolean };
}

class Row {
  /** Monitored prefixes that list it as a more-specific: the nearest one, and outer ones that had room. */
  listedBy: readonly string[] = [];
  readonly cells = new Map<string, ModelCell>();
  lastEventMs = 0;

  cell(vp: string): ModelCell {
    let cell = this.cells.get(vp);
    if (cell === undefined)
      this.cells.set(vp, (cell = { path: undefined, attributes: undefined, timeUs: 0, lostAt: undefined }));
    return cell;
  }

  held(): [string, ModelCell & { path: ModelPath }][] {
    return [...this.cells].filter((entry): entry is [string, ModelCell & { path: ModelPath }] => !!entry[1].path);
  }
}

interface Watched {
  entry: WatchedPrefix;
  readonly counters: ReturnType<typeof zeroCounters>;
  /** For how long its window stood still, ms, and until when (Unix ms) time has passed for it. */
  stoodStillMs: number;
  sweptAtMs: number;
}

export function zeroCounters() {
  return {
    announcements: 0,
    withdrawals: 0,
    pathChanges: 0,
    originChanges: 0,
    repeats: 0,
    gains: 0,
    losses: { withdrawn: 0, vp_down: 0, source_down: 0, expired: 0 },
    announcedLengthSum: 0,
    lastAnnouncementUs: 0,
    lastWithdrawalUs: 0,
  };
}

export function keyOf(vp: VantagePoint): string {
  const text = ({ asn, ip }: Speaker) => `${asn}_${ip}`;
  return vp.parent === undefined ? text(vp) : `${text(vp)} of ${text(vp.parent)}`;
}

const second = (ms: number) => Math.max(1, Math.floor(ms / 1000));

export class TableModel {
  readonly options: ModelOptions;
  /** Does the first contain the second, being shorter? Only for texts of the test's universe. */
  readonly #contains: (outer: string, inner: string) => boolean;
  readonly watched = new Map<string, Watched>();
  readonly rows = new Map<string, Row>();
  readonly vps = new Map<string, ModelVp>();
  readonly drops = {
    out_of_order: 0,
    seeded: 0,
    vp_limit: 0,
    more_specific_limit: 0,
    path_limit: 0,
    other_session: 0,
    other_source: 0,
    hold_overflow: 0,
  };
  /** Routes that found no room when other prefixes were monitored. */
  displacedRoutes = 0;
  unmonitoredPrefixes = 0;
  futureTimestamps = 0;

  constructor(options: ModelOptions, contains: (outer: string, inner: string) => boolean) {
    this.options = options;
    this.#contains = contains;
  }

  /** Monitored prefixes that contain it, nearest first. */
  parents(prefix: string): string[] {
    const length = (text: string) => Number(text.split('/')[1]);
    return [...this.watched.keys()]
      .filter((outer) => this.#contains(outer, prefix))
      .sort((a, b) => length(b) - length(a));
  }

  moreSpecificsOf(parent: string): string[] {
    return [...this.rows].filter(([, row]) => row.listedBy.includes(parent)).map(([text]) => text);
  }

  origin(path: ModelPath, vp: string): string {
    return path.origin === 'own' ? String(this.vps.get(vp)?.vp.asn) : path.origin;
  }

  // --- what happens -------------------------------------------------------------------------------------------------

  message(update: ModelUpdate, session: number, nowMs: number, late: 'out_of_order' | 'seeded'): void {
    const vp = this.#vp(update.vp);
    if (vp === undefined) {
      this.drops.vp_limit += update.withdrawn.length + update.announced.length;
      return;
    }
    this.#hear(vp, nowMs);
    let { timeUs } = update;
    if (timeUs > (nowMs + 2_000) * 1000) {
      timeUs = nowMs * 1000;
      this.futureTimestamps++;
    }
    for (const prefix of update.withdrawn) {
      const row = this.#resolve(prefix, session);
      // RFC 4271 section 4.3: a prefix that is withdrawn and announced at once was not withdrawn.
      if (update.announced.includes(prefix)) continue;
      if (row !== undefined && !this.#withdraw(prefix, row, vp, timeUs, nowMs)) this.drops[late]++;
    }
    for (const prefix of update.announced) {
      const row = this.#resolve(prefix, session);
      if (row !== undefined && !this.#announce(prefix, row, vp, update, timeUs, nowMs)) this.drops[late]++;
    }
  }

  #announce(prefix: string, row: Row, vp: ModelVp, update: ModelUpdate, timeUs: number, nowMs: number): boolean {
    const cell = row.cell(keyOf(vp.vp));
    if (timeUs < cell.timeUs) return false;
    const counters = this.watched.get(prefix)?.counters ?? zeroCounters();
    const { path: before, attributes } = cell;
    row.lastEventMs = nowMs;
    counters.announcements++;
    counters.announcedLengthSum += update.path.length;
    counters.lastAnnouncementUs = Math.max(counters.lastAnnouncementUs, timeUs);
    if (before === undefined) counters.gains++;
    else if (before.canonical !== update.path.canonical) {
      counters.pathChanges++;
      const vpKey = keyOf(vp.vp);
      if (this.origin(before, vpKey) !== this.origin(update.path, vpKey)) counters.originChanges++;
    } else if (attributes === undefined || attributes === update.attributes) counters.repeats++;
    this.#hold(cell, vp, update.path, update.attributes, timeUs);
    return true;
  }

  #withdraw(prefix: string, row: Row, vp: ModelVp, timeUs: number, nowMs: number): boolean {
    const cell = row.cell(keyOf(vp.vp));
    if (timeUs < cell.timeUs) return false;
    const counters = this.watched.get(prefix)?.counters ?? zeroCounters();
    row.lastEventMs = nowMs;
    counters.withdrawals++;
    counters.lastWithdrawalUs = Math.max(counters.lastWithdrawalUs, timeUs);
    cell.timeUs = timeUs;
    if (cell.path === undefined) return true;
    counters.losses.withdrawn++;
    this.#lose(prefix, cell, this.#lossSecond(prefix, nowMs));
    return true;
  }

  seedRoute(prefix: string, of: VantagePoint, path: ModelPath, attributes: string | undefined, timeUs: number): string {
    const row = this.#row(prefix, true);
    const vp = this.#vp(of);
    if (typeof row === 'string' || vp === undefined) return 'nowhere';
    const cell = row.cell(keyOf(of));
    if (vp.down || timeUs < cell.timeUs) return 'newer';
    if (cell.path?.canonical === path.canonical) {
      cell.timeUs = timeUs;
      cell.attributes ??= attributes;
      return 'same';
    }
    this.#hold(cell, vp, path, attributes, timeUs);
    return 'corrected';
  }

  seedAbsence(prefix: string, of: VantagePoint, timeUs: number, nowMs: number): string {
    const row = this.rows.get(prefix);
    if (row === undefined || !this.vps.has(keyOf(of))) return 'nowhere';
    const cell = row.cell(keyOf(of));
    if (timeUs < cell.timeUs) return 'newer';
    cell.timeUs = timeUs;
    if (cell.path === undefined) return 'same';
    this.#lose(prefix, cell, this.#lossSecond(prefix, nowMs));
    return 'corrected';
  }

  /** The VP held the prefix a window ago: when it holds nothing now, it counts as if it had lost it now. */
  seedExpected(prefix: string, of: VantagePoint, nowMs: number): void {
    const vp = this.vps.get(keyOf(of));
    if (vp === undefined || vp.down || !this.watched.has(prefix)) return;
    const cell = this.#row(prefix, true);
    if (typeof cell === 'string') return;
    const { path, lostAt } = cell.cell(keyOf(of));
    if (path === undefined && lostAt === undefined) cell.cell(keyOf(of)).lostAt = this.#lossSecond(prefix, nowMs);
  }

  setDown(of: VantagePoint): void {
    const key = keyOf(of);
    const vp = this.vps.get(key);
    if (vp === undefined || vp.down) return;
    vp.down = true;
    vp.counted = false;
    for (const [prefix, row] of this.rows) {
      const cell = row.cells.get(key);
      if (cell === undefined) continue;
      const monitored = this.watched.get(prefix);
      if (cell.path !== undefined && monitored !== undefined) monitored.counters.losses.vp_down++;
      this.#lose(prefix, cell, undefined);
    }
  }

  setUp(of: VantagePoint): void {
    const vp = this.vps.get(keyOf(of));
    if (vp !== undefined) vp.down = false;
  }

  setFullFeed(of: VantagePoint, full: ModelVp['full']): void {
    const vp = this.#vp(of);
    if (vp !== undefined) vp.full = full;
  }

  watch(entries: readonly WatchedPrefix[], nowMs: number): void {
    const texts = new Set(entries.map((entry) => entry.prefix.text));
    const removed = [...this.watched.keys()].filter((text) => !texts.has(text));
    const added = entries.filter((entry) => !this.watched.has(entry.prefix.text));
    for (const entry of entries) {
      const known = this.watched.get(entry.prefix.text);
      if (known !== undefined) known.entry = entry;
    }
    if (removed.length + added.length === 0) return;
    const displaced = [...this.rows].filter(([text]) => !this.watched.has(text));
    for (const text of removed) displaced.push([text, this.rows.get(text) ?? new Row()]);
    for (const [text] of displaced) this.rows.delete(text);
    for (const text of removed) this.watched.delete(text);
    for (const entry of added) {
      this.watched.set(entry.prefix.text, { entry, counters: zeroCounters(), stoodStillMs: 0, sweptAtMs: nowMs });
      this.rows.set(entry.prefix.text, new Row());
    }
    for (const [text, former] of displaced) {
      const held = former.held();
      const row = this.#row(text, held.length > 0);
      if (row === 'limit') this.displacedRoutes += held.length;
      if (typeof row === 'string') continue;
      for (const [vp, cell] of held) row.cells.set(vp, { ...cell });
    }
  }

  /** A whole round. */
  sweep(nowMs: number): void {
    const { windowMs, ttlMs } = this.options;
    for (const [prefix, row] of [...this.rows]) {
      const monitored = this.watched.get(prefix);
      if (monitored !== undefined) {
        // A prefix that fewer than a fifth of its expected VPs see: no loss grows older.
        const { visible, expected } = this.totals(prefix);
        if (visible < expected / 5) monitored.stoodStillMs += nowMs - monitored.sweptAtMs;
        monitored.sweptAtMs = nowMs;
      }
      for (const cell of row.cells.values()) {
        const oldest = this.#lossSecond(prefix, nowMs - windowMs);
        if (cell.lostAt !== undefined && cell.lostAt < oldest) cell.lostAt = undefined;
        if (cell.path === undefined || ttlMs === 0 || cell.timeUs >= (nowMs - ttlMs) * 1000) continue;
        if (monitored !== undefined) monitored.counters.losses.expired++;
        this.#lose(prefix, cell, this.#lossSecond(prefix, nowMs));
      }
      if (monitored === undefined && row.held().length === 0 && nowMs - row.lastEventMs > 600_000)
        this.rows.delete(prefix);
    }
    for (const [key, vp] of [...this.vps]) {
      if (vp.heardMs >= nowMs - windowMs || this.#usesCells(key)) continue;
      vp.counted = false;
      if (vp.down || vp.full.ipv4 || vp.full.ipv6) continue;
      this.vps.delete(key);
      for (const row of this.rows.values()) row.cells.delete(key);
    }
  }

  #lossSecond(prefix: string, nowMs: number): number {
    return second(nowMs - (this.watched.get(prefix)?.stoodStillMs ?? 0));
  }

  #usesCells(vp: string): boolean {
    return [...this.rows.values()].some((row) => {
      const cell = row.cells.get(vp);
      return cell?.path !== undefined || cell?.lostAt !== undefined;
    });
  }

  /**
   * A new VP may take the place of one that holds nothing, is not expected to, is not down and has no full feed. Which one the
   * table has chosen, and whether it looked for one at all, is its own choice.
   */
  makeRoom(of: VantagePoint, isKept: (vp: VantagePoint) => boolean): void {
    if (this.vps.has(keyOf(of)) || this.vps.size < this.options.maxVps) return;
    const gone = [...this.vps].find(
      ([key, { vp, down, full }]) => !(isKept(vp) || down || full.ipv4 || full.ipv6 || this.#usesCells(key)),
    );
    if (gone === undefined) return;
    this.vps.delete(gone[0]);
    for (const row of this.rows.values()) row.cells.delete(gone[0]);
  }

  #vp(of: VantagePoint): ModelVp | undefined {
    const key = keyOf(of);
    let vp = this.vps.get(key);
    if (vp !== undefined) return vp;
    if (this.vps.size >= this.options.maxVps) return undefined;
    vp = { vp: of, heardMs: 0, down: false, counted: false, full: { ipv4: false, ipv6: false } };
    this.vps.set(key, vp);
    return vp;
  }

  #hear(vp: ModelVp, nowMs: number): void {
    vp.heardMs = nowMs;
    vp.down = false;
    vp.counted = true;
  }

  #hold(cell: ModelCell, vp: ModelVp, path: ModelPath, attributes: string | undefined, timeUs: number): void {
    Object.assign(cell, { path, attributes, timeUs, lostAt: undefined });
    vp.counted = true;
  }

  #lose(prefix: string, cell: ModelCell, lostAt: number | undefined): void {
    const remembers = this.watched.has(prefix) ? lostAt : undefined;
    Object.assign(cell, { path: undefined, attributes: undefined, lostAt: remembers });
  }

  #resolve(prefix: string, session: number): Row | undefined {
    const row = this.#row(prefix, true);
    if (row === 'unmonitored') this.unmonitoredPrefixes++;
    else if (row === 'limit') this.drops.more_specific_limit++;
    else if (row !== 'unknown') {
      const owner = this.watched.has(prefix) ? prefix : this.parents(prefix)[0];
      if (this.watched.get(owner)?.entry.sessions.includes(session)) return row;
      this.drops.other_session++;
    }
    return undefined;
  }

  #row(prefix: string, create: boolean): Row | 'unmonitored' | 'unknown' | 'limit' {
    const known = this.rows.get(prefix);
    if (known !== undefined) return known;
    const parents = this.parents(prefix);
    if (parents.length === 0) return 'unmonitored';
    if (!create) return 'unknown';
    const [nearest, ...outer] = parents;
    if (!this.#makeRoom(nearest)) return 'limit';
    const row = new Row();
    row.listedBy = [nearest, ...outer.filter((parent) => this.#makeRoom(parent))];
    this.rows.set(prefix, row);
    return row;
  }

  #makeRoom(parent: string): boolean {
    const inside = this.moreSpecificsOf(parent);
    if (inside.length < this.options.maxMoreSpecifics) return true;
    const unseen = inside.find((text) => this.rows.get(text)?.held().length === 0);
    return unseen !== undefined && this.rows.delete(unseen);
  }

  // --- what must be there now ---------------------------------------------------------------------------------------

  /** Every total of a monitored prefix, counted anew. */
  totals(prefix: string) {
    const row = this.rows.get(prefix) ?? new Row();
    const held = row.held();
    const afi = prefix.includes(':') ? 'ipv6' : 'ipv4';
    const full = [...this.vps.values()].filter((vp) => vp.full[afi] && !vp.down);
    const partial = held.filter(([vp]) => !this.vps.get(vp)?.full[afi]);
    return {
      visible: held.length,
      expected: [...row.cells.values()].filter((cell) => cell.path !== undefined || cell.lostAt !== undefined).length,
      expectedFullFeed: full.length + partial.length,
      visiblePartial: partial.length,
      origins: tally(held.map(([vp, { path }]) => this.origin(path, vp))),
      upstreams: tally(held.flatMap(([, { path }]) => path.upstream ?? [])),
      lengths: tally(held.map(([, { path }]) => String(path.length))),
      lengthSum: held.reduce((sum, [, { path }]) => sum + path.length, 0),
      prepended: held.filter(([, { path }]) => path.prepended).length,
      moreSpecifics: this.moreSpecificsOf(prefix).sort(),
      counters: this.watched.get(prefix)?.counters,
    };
  }

  overall() {
    const rows = [...this.rows.values()];
    const paths = new Set(
      rows.flatMap((row) =>
        row
          .held()
          .map(([vp, { path }]) => `${path.canonical} ${path.origin === 'own' ? this.vps.get(vp)?.vp.asn : ''}`),
      ),
    );
    const counted = [...this.vps.values()].filter((vp) => vp.counted);
    const fullFeed = (afi: 'ipv4' | 'ipv6') => [...this.vps.values()].filter((vp) => vp.full[afi] && !vp.down).length;
    return {
      routes: rows.reduce((sum, row) => sum + row.held().length, 0),
      paths: paths.size,
      prefixes: [...this.rows.keys()].sort(),
      vps: [...this.vps.keys()].sort(),
      vpsByProtocol: {
        bgp: counted.filter(({ vp }) => vp.protocol === 'bgp').length,
        bmp: counted.filter(({ vp }) => vp.protocol === 'bmp').length,
      },
      fullFeedVps: { ipv4: fullFeed('ipv4'), ipv6: fullFeed('ipv6') },
    };
  }
}

/** How often each text is in the list. */
export function tally(texts: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const text of [...texts].sort()) counts[text] = (counts[text] ?? 0) + 1;
  return counts;
}
