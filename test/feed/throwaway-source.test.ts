/** A source that only this test has: frames of its own, peer states, no history. It uses the contract and nothing else. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Prefix } from '../../src/bgp/prefix.ts';
import type { PeerState, RouteUpdate } from '../../src/bgp/route-event.ts';
import type { VantagePoint } from '../../src/bgp/vantage-point.ts';
import { loadConfig } from '../../src/config/config.ts';
import { type RunningExporter, startExporter } from '../../src/exporter.ts';
import type { EventSink, FrameDecoder } from '../../src/stream/frame-decoder.ts';
import type { FeedTools, LiveFeed, SessionPlan } from '../../src/stream/live-feed.ts';
import type { SourceListener, StreamSource, StreamStats } from '../../src/stream/source.ts';
import { createStreamStats, markDown, markUp } from '../../src/stream/stream-health.ts';
import { samples } from '../end-to-end/world.ts';
import { ManualTimers } from '../stream/manual-timers.ts';
import { RecordingLogger } from '../stream/recording-logger.ts';

const PREFIX = '192.0.2.0/24';
const NOW = Date.UTC(2026, 0, 1);

/** Lines of `announce SECONDS ASN IP PREFIX PATH`, `withdraw SECONDS ASN IP PREFIX`, `peer SECONDS ASN IP up|down`, or `tick`. */
class LineDecoder implements FrameDecoder {
  readonly failures = ['no_line', 'tick'];
  readonly harmless = ['tick'];

  decode(frames: readonly Buffer[], to: EventSink): void {
    for (const frame of frames) this.#line(frame.toString(), to);
  }

  #line(line: string, to: EventSink): void {
    const [what, seconds, asn, ip, on, ...path] = line.split(' ');
    const vp: VantagePoint = { protocol: 'bgp', asn: Number(asn), ip };
    const timeUs = (NOW + Number(seconds) * 1000) * 1000;
    if (what === 'announce') {
      const attributes = { asPath: path.join(' '), communities: '', nextHop: '', originAttribute: '' };
      to.update({ vp, timeUs, withdrawn: [], announced: [on], attributes } satisfies RouteUpdate);
    } else if (what === 'withdraw') to.update({ vp, timeUs, withdrawn: [on], announced: [] });
    else if (what === 'peer') to.peerState({ vp, up: on === 'up', timeUs } satisfies PeerState);
    else to.failed(what === 'tick' ? 'tick' : 'no_line');
  }
}

/** One session, which is up when the test says so. */
class LineSource implements StreamSource {
  readonly name: string;
  readonly stats: readonly StreamStats[];
  readonly #tools: FeedTools;
  #listener: SourceListener | undefined;

  constructor(name: string, tools: FeedTools) {
    this.name = name;
    this.#tools = tools;
    this.stats = [createStreamStats(name, '0', tools.timers.now())];
  }

  start(listener: SourceListener): void {
    this.#listener = listener;
  }

  up(): void {
    markUp(this.stats[0], this.#tools.timers.elapsed());
    this.#listener?.connected(0, this.#tools.timers.now());
  }

  down(): void {
    markDown(this.stats[0], this.#tools.timers.elapsed());
    this.#listener?.disconnected(0, 'closed', this.#tools.timers.now(), 'cut by the test', false);
  }

  say(...lines: string[]): void {
    this.stats[0].frames += lines.length;
    this.#listener?.frames(
      0,
      lines.map((line) => Buffer.from(line)),
      this.#tools.timers.now(),
    );
  }

  async setPrefixes(): Promise<void> {}
  async stop(): Promise<void> {}
}

class LineFeed implements LiveFeed {
  readonly source: LineSource;

  constructor(name: string, tools: FeedTools) {
    this.source = new LineSource(name, tools);
  }

  decoder = () => new LineDecoder();
  history = () => undefined;

  plan(prefixes: readonly Prefix[]): SessionPlan {
    const all = prefixes.map(({ text }) => text);
    return { prefixes: [all], subscriptions: [all] };
  }
}

let running: RunningExporter | undefined;
afterEach(async () => running?.stop());

/** An exporter with sources of these names, in this order. */
async function world(...names: string[]) {
  const timers = new ManualTimers(NOW);
  const sources: LineSource[] = [];
  const text = `{prefixes: [{prefix: ${PREFIX}}], web: {listen_address: '127.0.0.1:0'}, bgproutes: {api_keys: [unused-key-0]}}`;
  const config = loadConfig({ flags: { 'config.file': 'test.yml' }, env: {}, readFile: () => text });
  running = await startExporter(config, {
    ...{ timers, logger: new RecordingLogger(), version: { version: '0', revision: 'test', nodeVersion: '0' } },
    feeds: ({ tools }) =>
      names.map((name) => {
        const feed = new LineFeed(name, tools);
        sources.push(feed.source);
        return feed;
      }),
  });
  const exporter = running;
  const prefix = async (metric: string, labels = '') =>
    (await samples(exporter)).get(`bgp_prefix_${metric}{prefix="${PREFIX}"${labels}}`);
  return { exporter, timers, sources, prefix };
}

describe('a source that only this test has', () => {
  it('works through the contract alone', async () => {
    const { exporter, timers, sources, prefix } = await world('lines');
    const [lines] = sources;
    timers.advance(10_000);
    lines.up();
    lines.say(
      `announce 1 64601 192.0.2.1 ${PREFIX} 64601 64500`,
      `announce 1 64602 192.0.2.2 ${PREFIX} 64602 64500`,
      `announce 1 64603 192.0.2.3 ${PREFIX} 64603 64500`,
      'tick',
      'what is this',
    );
    expect(await prefix('visible_vps')).toBe(3);
    lines.say(`withdraw 2 64602 192.0.2.2 ${PREFIX}`, 'peer 2 64603 192.0.2.3 down');
    expect([await prefix('visible_vps'), await prefix('expected_vps')]).toEqual([1, 2]);
    expect(await prefix('vp_losses_total', ',reason="vp_down"')).toBe(1);
    lines.say('peer 3 64603 192.0.2.3 up');
    expect(await prefix('expected_vps')).toBe(2);
    lines.say(`announce 3 64603 192.0.2.3 ${PREFIX} 64603 64500`);
    expect(await prefix('visible_vps')).toBe(2);
    const all = await samples(exporter);
    const of = (name: string, labels = '') => all.get(`bgp_stream_${name}{source="lines",session="0"${labels}}`);
    expect([of('updates_total'), of('decode_failures_total', ',reason="no_line"')]).toEqual([5, 1]);
    // What it does not have has no series.
    expect([of('slow_decodes_total'), of('subscription_losses_total')]).toEqual([undefined, undefined]);
    // Nobody tells its past, so nothing says that the table is complete.
    expect([await prefix('trusted'), exporter.figures.seeded]).toEqual([0, false]);
    expect(exporter.ready()).toEqual({ ok: true });
  });

  it('beside another: the first owns, the second takes over at once, the rest goes after a minute, and all comes back', async () => {
    const { timers, sources, prefix, exporter } = await world('first', 'second');
    const [first, second] = sources;
    const shown = async () => [
      await prefix('visible_vps'),
      await prefix('source_vps', ',source="first"'),
      await prefix('source_vps', ',source="second"'),
      await prefix('vp_losses_total', ',reason="source_down"'),
    ];
    for (const source of sources) source.up();
    first.say(`announce 1 64601 192.0.2.1 ${PREFIX} 64601 64500`, `announce 1 64602 192.0.2.2 ${PREFIX} 64602 64500`);
    second.say(`announce 1 64601 192.0.2.1 ${PREFIX} 64601 64500`, `announce 1 64603 192.0.2.3 ${PREFIX} 64603 64500`);
    expect(await shown()).toEqual([3, 2, 1, 0]);
    expect(await prefix('announcements_total')).toBe(3);
    timers.advance(10_000);
    first.down();
    timers.advance(59_999);
    expect(await shown()).toEqual([3, 1, 2, 0]);
    timers.advance(1);
    expect(await shown()).toEqual([2, 0, 2, 1]);
    second.say(`announce 80 64601 192.0.2.1 ${PREFIX} 64601 64510 64500`);
    expect(await prefix('path_changes_total')).toBe(1);
    timers.advance(10_000);
    first.up();
    expect(await shown()).toEqual([2, 1, 1, 1]);
    first.say(`announce 90 64602 192.0.2.2 ${PREFIX} 64602 64500`);
    second.say(`announce 90 64601 192.0.2.1 ${PREFIX} 64601 64500`);
    expect(await shown()).toEqual([3, 2, 1, 1]);
    expect(await prefix('path_changes_total')).toBe(1);
    const all = await samples(exporter);
    expect(all.get('bgp_stream_dropped_events_total{source="second",session="0",reason="other_source"}')).toBe(2);
    expect(all.get('bgp_vps{protocol="bgp",source="first"}')).toBe(2);
    expect(all.get('bgp_vps{protocol="bgp",source="second"}')).toBe(1);
  });
});
