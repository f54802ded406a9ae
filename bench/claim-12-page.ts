/** Claim 12: fifty open pages of a thousand prefixes in a storm cost an exporter little, and hold it up no longer than scrapes do. */
import { Child } from './child.ts';
import { atMost, type BenchContext, type Claim, type Finding } from './claim.ts';
import { fedConfig } from './fed-config.ts';
import type { FeederInput, FeederReady } from './feeder.ts';
import { prefixTexts, type StreamShape } from './messages.ts';
import { framesOf } from './page-frames.ts';
import type { PagesRead, PagesWanted } from './page-readers.ts';
import { interleaved, median } from './rounds.ts';
import type { Watched } from './scraped-exporter.ts';

const PAGES = 50;
/** Of the pages so many show one prefix, each another one; the rest are overviews. */
const PREFIX_PAGES = 10;
/** A page is told all when it opens: that is over by then. */
const OPENING_MS = 1_500;
const SHAPE: StreamShape = { vps: 1_000, prefixes: 1_000, origins: 5, messages: 200_000 };
/** Of several ticks, which come once a second. */
const WINDOW_MS = 3_000;
const ROUNDS = 10;
/** Windows in which the table is filled. */
const FILLING = 3;

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
    for (let i = 0; i < FILLING; i++) await exporter.ask<Watched>({ ms: WINDOW_MS });
    const events = `http://${address}/api/v1/events`;
    const urls = Array.from({ length: PAGES }, (_, i) =>
      i < PREFIX_PAGES ? `${events}?prefix=${encodeURIComponent(texts[i])}&window=1h` : events,
    );
    const pauses: Record<'alone' | 'pages', number[]> = { alone: [], pages: [] };
    let bytes = 0;
    const window = async (name: 'alone' | 'pages') => {
      const wanted: PagesWanted = { urls: name === 'pages' ? urls : [] };
      await readers.ask<PagesRead>(wanted);
      await exporter.ask<Watched>({ ms: OPENING_MS });
      const watched = await exporter.ask<Watched>({ ms: WINDOW_MS });
      bytes += (await readers.ask<PagesRead>({ urls: [] } satisfies PagesWanted)).bytes;
      pauses[name].push(watched.longestPauseMs);
      return watched.busyMs / watched.events;
    };
    const measured = await interleaved(
      { alone: () => window('alone'), pages: () => window('pages') },
      ROUNDS,
      progress,
    );
    const cost = 100 * (1 - measured.ratio('alone', 'pages'));
    progress(
      `${(bytes / ROUNDS / 1e6).toFixed(1)} MB in ${(OPENING_MS + WINDOW_MS) / 1_000} s to all pages; longest pause alone ` +
        `${median(pauses.alone).toFixed(1)} ms, with pages ${median(pauses.pages).toFixed(1)} ms`,
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
      atMost(`${PAGES} open pages of 1,000 prefixes that all change each second, of a core`, 5, cost, '%'),
      atMost('longest pause of the event loop meanwhile', 30, median(pauses.pages), 'ms'),
    ];
  } finally {
    await Promise.all([readers.stop(), exporter.stop(), feeder.stop()]);
  }
}

export const claim: Claim = { number: 12, title: 'open pages', measure };
