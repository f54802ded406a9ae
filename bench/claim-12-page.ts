/** Claim 12: fifty open pages of a thousand prefixes in a storm cost an exporter little, and hold it up no longer than scrapes do. */
import { Child } from './child.ts';
import { atMost, type BenchContext, type Claim, type Finding } from './claim.ts';
import { fedConfig } from './fed-config.ts';
import type { FeederInput, FeederReady, Pace } from './feeder.ts';
import { prefixTexts, type StreamShape } from './messages.ts';
import { framesOf } from './page-frames.ts';
import type { PagesRead, PagesWanted } from './page-readers.ts';
import { interleaved, median, WARM_UP_ROUNDS } from './rounds.ts';
import type { Watch, Watched } from './scraped-exporter.ts';

const PAGES = 50;
/** Of the pages so many show one prefix, each another one; the rest are overviews. */
const PREFIX_PAGES = 10;
/** A page is told all when it opens: that is over by then. */
const OPENING_MS = 1_500;
const SHAPE: StreamShape = { vps: 1_000, prefixes: 1_000, origins: 5, messages: 200_000 };
/** What the whole world's stream brings; every prefix changes each second. */
const STORM_EVENTS_PER_SECOND = 47_000;
/** Every fifth message carries a second prefix. */
const EVENTS_PER_MESSAGE = 1.2;
/** Of several ticks, which come once a second. */
const WINDOW_MS = 5_000;
const ROUNDS = 10;
/** Windows in which the table is filled, and those in which pauses are looked for, as fast as the stream can be taken. */
const FILLING = 3;
const PAUSE_MS = 3_000;
const PAUSE_ROUNDS = 5;

type Pages = 'alone' | 'pages';

async function measure({ progress }: BenchContext): Promise<Finding[]> {
  const feeder = new Child('feeder');
  const exporter = new Child('scraped-exporter');
  const readers = new Child('page-readers');
  try {
    const input: FeederInput = { shape: SHAPE, recording: undefined };
    const { port } = await feeder.ask<FeederReady>(input);
    const texts = prefixTexts(SHAPE.prefixes);
    const yaml = fedConfig(SHAPE.prefixes, port);
    const address = await exporter.ask<string>({ yaml });
    for (let i = 0; i < FILLING; i++) await exporter.ask<Watched>({ ms: PAUSE_MS });
    const events = `http://${address}/api/v1/events`;
    const urls = Array.from({ length: PAGES }, (_, i) =>
      i < PREFIX_PAGES ? `${events}?prefix=${encodeURIComponent(texts[i])}&window=1h` : events,
    );
    let bytes = 0;
    const window = async (name: Pages, watch: Watch): Promise<Watched> => {
      const wanted: PagesWanted = { urls: name === 'pages' ? urls : [] };
      await readers.ask<PagesRead>(wanted);
      await exporter.ask<Watched>({ ...watch, ms: OPENING_MS });
      const watched = await exporter.ask<Watched>(watch);
      const read = await readers.ask<PagesRead>({ urls: [] } satisfies PagesWanted);
      if (read.ended > 0) throw new Error(`${read.ended} pages were closed by the exporter while they were measured`);
      bytes += read.bytes;
      return watched;
    };

    const pauses: Record<Pages, number[]> = { alone: [], pages: [] };
    for (let i = 0; i < PAUSE_ROUNDS; i++)
      for (const name of ['alone', 'pages'] as const)
        pauses[name].push((await window(name, { ms: PAUSE_MS })).longestPauseMs);
    progress(
      `longest pause alone ${median(pauses.alone).toFixed(1)} ms, with pages ${median(pauses.pages).toFixed(1)} ms`,
    );

    await feeder.ask<Pace>({ messagesPerSecond: STORM_EVENTS_PER_SECOND / EVENTS_PER_MESSAGE } satisfies Pace);
    bytes = 0;
    const share = async (name: Pages): Promise<number> => {
      const { processMs, ms, events: applied } = await window(name, { ms: WINDOW_MS, atRest: true });
      const rate = (1_000 * applied) / ms;
      if (rate < 0.8 * STORM_EVENTS_PER_SECOND) throw new Error(`only ${rate.toFixed(0)} events a second were applied`);
      return (100 * processMs) / ms;
    };
    const { costs } = await interleaved({ alone: () => share('alone'), pages: () => share('pages') }, ROUNDS, progress);
    const seconds = ((ROUNDS + WARM_UP_ROUNDS) * (OPENING_MS + WINDOW_MS)) / 1_000;
    progress(`${(bytes / seconds / 1e6).toFixed(1)} MB a second to all pages`);
    const added = costs.pages.map((percent, i) => percent - costs.alone[i]).sort((a, b) => a - b);
    progress(
      `of a core: alone ${median(costs.alone).toFixed(1)} %, with pages ${median(costs.pages).toFixed(1)} %; ` +
        `the pages ${added[0].toFixed(1)} to ${added[added.length - 1].toFixed(1)} %, half of the rounds ` +
        `${added[Math.floor(ROUNDS / 4)].toFixed(1)} to ${added[Math.ceil((3 * ROUNDS) / 4) - 1].toFixed(1)} %`,
    );
    const frames = await framesOf(`http://${address}/`);
    progress(
      frames === undefined
        ? 'there is no Chromium (CHROMIUM) here: frames are not measured'
        : `${frames.tasks} tasks of the page, ${frames.long} of 50 ms or more`,
    );
    return [
      ...(frames === undefined
        ? []
        : [atMost('longest task of a browser that shows them and is scrolled, CPU', 50, frames.longestMs, 'ms')]),
      atMost(`${PAGES} open pages of 1,000 prefixes that all change each second, of a core`, 5, median(added), '%'),
      atMost('longest pause of the event loop meanwhile', 30, median(pauses.pages), 'ms'),
    ];
  } finally {
    await Promise.all([readers.stop(), exporter.stop(), feeder.stop()]);
  }
}

export const claim: Claim = { number: 12, title: 'open pages', measure };
