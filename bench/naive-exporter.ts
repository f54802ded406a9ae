/**
 * The exporter that one would write in an afternoon: JSON.parse, a Map of Maps of routes, and a call of prom-client for
 * everything that happens. It keeps seven metrics of the twenty-six that the table has for a prefix.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { prefixMetrics } from '../src/metrics/catalogue.ts';
import { LENGTH_BOUNDS } from '../src/table/prefix-state.ts';

interface StreamMessage {
  readonly record_type: string;
  readonly vp: string;
  readonly bmp_peer?: string;
  readonly prefixes?: string;
  readonly withdraws?: string;
  readonly 'as-path'?: string;
}

interface Route {
  readonly path: string;
  readonly origin: string;
}

export class NaiveExporter {
  readonly #registry = new Registry();
  readonly #routes = new Map<string, Map<string, Route>>();
  readonly #visible = this.#gauge('prefixVisibleVps');
  readonly #origins = this.#gauge('prefixOriginVps');
  readonly #announcements = this.#counter('prefixAnnouncements');
  readonly #withdrawals = this.#counter('prefixWithdrawals');
  readonly #pathChanges = this.#counter('prefixPathChanges');
  readonly #gains = this.#counter('prefixVpGains');
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
    if (message.withdraws !== undefined) {
      for (const prefix of message.withdraws.split(',')) this.#withdraw(prefix, vp);
    }
    if (message.prefixes !== undefined) {
      const path = message['as-path'] ?? '';
      const hops = path.split(' ');
      const route = { path, origin: hops[hops.length - 1] };
      for (const prefix of message.prefixes.split(',')) this.#announce(prefix, vp, route, hops.length);
    }
  }

  metrics(): Promise<string> {
    return this.#registry.metrics();
  }

  #announce(prefix: string, vp: string, route: Route, length: number): void {
    let routes = this.#routes.get(prefix);
    if (routes === undefined) this.#routes.set(prefix, (routes = new Map()));
    this.#announcements.inc({ prefix });
    this.#lengths.observe({ prefix }, length);
    const held = routes.get(vp);
    if (held?.path === route.path) return;
    if (held === undefined) {
      this.#visible.inc({ prefix });
      this.#gains.inc({ prefix });
      this.#origins.inc({ prefix, origin_as: route.origin });
    } else {
      this.#pathChanges.inc({ prefix });
      if (held.origin !== route.origin) {
        this.#origins.dec({ prefix, origin_as: held.origin });
        this.#origins.inc({ prefix, origin_as: route.origin });
      }
    }
    routes.set(vp, route);
  }

  #withdraw(prefix: string, vp: string): void {
    this.#withdrawals.inc({ prefix });
    const routes = this.#routes.get(prefix);
    const held = routes?.get(vp);
    if (held === undefined) return;
    this.#visible.dec({ prefix });
    this.#origins.dec({ prefix, origin_as: held.origin });
    routes?.delete(vp);
  }

  #gauge(key: 'prefixVisibleVps' | 'prefixOriginVps'): Gauge {
    const { name, help, labels } = prefixMetrics[key];
    return new Gauge({ name, help, labelNames: [...labels], registers: [this.#registry] });
  }

  #counter(key: 'prefixAnnouncements' | 'prefixWithdrawals' | 'prefixPathChanges' | 'prefixVpGains'): Counter {
    const { name, help, labels } = prefixMetrics[key];
    return new Counter({ name, help, labelNames: [...labels], registers: [this.#registry] });
  }
}
