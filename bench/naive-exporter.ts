/**
 * The exporter that one would write in an afternoon: JSON.parse, a Map of Maps of routes, and a call of prom-client for
 * everything that happens. It keeps what an event changes of a monitored prefix; what the exporter has beyond that (expected
 * VPs and what follows from them, extremes of path length, more-specifics, VPs that are down) it does without.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { prefixMetrics } from '../src/metrics/catalogue.ts';
import { LENGTH_BOUNDS } from '../src/table/prefixes/prefix-state.ts';

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

interface Route {
  readonly path: string;
  readonly attributes: string;
  readonly origin: string;
  readonly upstream: string | undefined;
  readonly length: number;
  readonly prepended: boolean;
}

/** What is held of a prefix. */
interface Held {
  readonly routes: Map<string, Route>;
  readonly origins: Map<string, number>;
}

type Key = keyof typeof prefixMetrics;

export class NaiveExporter {
  readonly #registry = new Registry();
  readonly #prefixes = new Map<string, Held>();
  readonly #visible = this.#gauge('prefixVisibleVps');
  readonly #originVps = this.#gauge('prefixOriginVps');
  readonly #origins = this.#gauge('prefixOrigins');
  readonly #upstreamVps = this.#gauge('prefixUpstreamVps');
  readonly #lengthVps = this.#gauge('prefixAsPathLengthVps');
  readonly #prepended = this.#gauge('prefixPrependedVps');
  readonly #lastAnnouncement = this.#gauge('prefixLastAnnouncement');
  readonly #lastWithdrawal = this.#gauge('prefixLastWithdrawal');
  readonly #announcements = this.#counter('prefixAnnouncements');
  readonly #withdrawals = this.#counter('prefixWithdrawals');
  readonly #pathChanges = this.#counter('prefixPathChanges');
  readonly #originChanges = this.#counter('prefixOriginChanges');
  readonly #repeats = this.#counter('prefixRepeats');
  readonly #gains = this.#counter('prefixVpGains');
  readonly #losses = this.#counter('prefixVpLosses');
  readonly #lengths = new Histogram({
    name: prefixMetrics.prefixAnnouncedAsPathLength.name,
    help: prefixMetrics.prefixAnnouncedAsPathLength.help,
    labelNames: ['prefix'],
    buckets: [...LENGTH_BOUNDS],
    registers: [this.#registry],
  });

  message(data: Buffer): void {
    const message = JSON.parse(data.toString()) as StreamMessage;
    const vp = message.record_type === 'bmp_update' ? `${message.bmp_peer} ${message.vp}` : message.vp;
    const seconds = message.sec + (message.Usec ?? 0) / 1_000_000;
    if (message.withdraws !== undefined) {
      for (const prefix of message.withdraws.split(',')) this.#withdraw(prefix, vp, seconds);
    }
    if (message.prefixes !== undefined) {
      const path = message['as-path'] ?? '';
      const hops = path.split(' ');
      const origin = hops[hops.length - 1];
      const route: Route = {
        path,
        attributes: `${message.communities}|${message.nexthop}|${message.origin}`,
        origin,
        upstream: hops.findLast((hop) => hop !== origin),
        length: hops.length,
        prepended: hops.length > 1 && hops[hops.length - 2] === origin,
      };
      for (const prefix of message.prefixes.split(',')) this.#announce(prefix, vp, route, seconds);
    }
  }

  metrics(): Promise<string> {
    return this.#registry.metrics();
  }

  #announce(prefix: string, vp: string, route: Route, seconds: number): void {
    const { routes } = this.#heldOf(prefix);
    this.#announcements.inc({ prefix });
    this.#lengths.observe({ prefix }, route.length);
    this.#lastAnnouncement.set({ prefix }, seconds);
    const held = routes.get(vp);
    routes.set(vp, route);
    if (held?.path === route.path) {
      if (held.attributes === route.attributes) this.#repeats.inc({ prefix });
      return;
    }
    if (held === undefined) {
      this.#gains.inc({ prefix });
    } else {
      this.#pathChanges.inc({ prefix });
      if (held.origin !== route.origin) this.#originChanges.inc({ prefix });
      this.#count(prefix, held, -1);
    }
    this.#count(prefix, route, 1);
  }

  #withdraw(prefix: string, vp: string, seconds: number): void {
    const { routes } = this.#heldOf(prefix);
    this.#withdrawals.inc({ prefix });
    this.#lastWithdrawal.set({ prefix }, seconds);
    const held = routes.get(vp);
    if (held === undefined) return;
    routes.delete(vp);
    this.#losses.inc({ prefix, reason: 'withdrawn' });
    this.#count(prefix, held, -1);
  }

  /** A route comes or goes. */
  #count(prefix: string, { origin, upstream, length, prepended }: Route, change: 1 | -1): void {
    const { routes, origins } = this.#heldOf(prefix);
    const vps = (origins.get(origin) ?? 0) + change;
    if (vps === 0) origins.delete(origin);
    else origins.set(origin, vps);
    this.#visible.set({ prefix }, routes.size);
    this.#origins.set({ prefix }, origins.size);
    this.#originVps.set({ prefix, origin_as: origin }, vps);
    if (upstream !== undefined) this.#upstreamVps.inc({ prefix, upstream_as: upstream }, change);
    this.#lengthVps.inc({ prefix, length: length > 15 ? '16+' : length }, change);
    if (prepended) this.#prepended.inc({ prefix }, change);
  }

  #heldOf(prefix: string): Held {
    let held = this.#prefixes.get(prefix);
    if (held === undefined) this.#prefixes.set(prefix, (held = { routes: new Map(), origins: new Map() }));
    return held;
  }

  #gauge(key: Key): Gauge {
    const { name, help, labels } = prefixMetrics[key];
    return new Gauge({ name, help, labelNames: [...labels], registers: [this.#registry] });
  }

  #counter(key: Key): Counter {
    const { name, help, labels } = prefixMetrics[key];
    return new Counter({ name, help, labelNames: [...labels], registers: [this.#registry] });
  }
}
