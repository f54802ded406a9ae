/** Claim 5: scrapes of 100,000 series, one a second, hardly slow down a saturated exporter, nor hold it up for long. */
import { get } from 'node:http';
import { Child } from './child.ts';
import { atLeast, atMost, type BenchContext, type Claim, type Finding } from './claim.ts';
import { fedConfig } from './fed-config.ts';
import type { FeederInput, FeederReady } from './feeder.ts';
import type { StreamShape } from './messages.ts';
import { interleaved, median } from './rounds.ts';
import type { Watched } from './scraped-exporter.ts';

const SERIES = 100_000;
const SHAPE: Omit<StreamShape, 'prefixes'> = { vps: 1_000, origins: 5, messages: 200_000 };
/** Series that a prefix of such a stream has, about. */
const SERIES_PER_PREFIX = 78;
/** With a scrape in each, or in none: short, because a shared machine is fast in one moment and slow in the next. */
const WINDOW_MS = 1_000;
const ROUNDS = 28;
/** Windows in which the table is filled. */
const FILLING = 5;
/** The longest pause is that of so many windows. */
const WINDOWS_OF_PAUSE = 4;

/** A scrape as Prometheus does it: OpenMetrics, compressed. Gives the uncompressed body's number of lines when asked. */
function scrape(address: string, gzip: boolean): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = { accept: 'application/openmetrics-text; version=1.0.0' };
    if (gzip) headers['accept-encoding'] = 'gzip';
    get(`http://${address}/metrics`, { headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks));
        else reject(new Error(`a scrape was answered with status ${response.statusCode}`));
      });
      response.on('error', reject);
    }).on('error', reject);
  });
}

/** The longest of some windows, and the median of these. */
function longest(pauses: readonly number[]): number {
  const groups = Array.from({ length: Math.floor(pauses.length / WINDOWS_OF_PAUSE) }, (_, i) =>
    pauses.slice(i * WINDOWS_OF_PAUSE, (i + 1) * WINDOWS_OF_PAUSE),
  );
  return median(groups.map((group) => Math.max(...group)));
}

async function measure({ progress }: BenchContext): Promise<Finding[]> {
  const prefixes = Math.ceil(SERIES / SERIES_PER_PREFIX);
  const feeder = new Child('feeder');
  const exporter = new Child('scraped-exporter');
  try {
    const input: FeederInput = { shape: { ...SHAPE, prefixes }, recording: undefined };
    const { port } = await feeder.ask<FeederReady>(input);
    const yaml = fedConfig(prefixes, port);
    const address = await exporter.ask<string>({ yaml });
    for (let i = 0; i < FILLING; i++) await exporter.ask<Watched>({ ms: WINDOW_MS });
    const body = (await scrape(address, false)).toString();
    const series = body.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
    if (series < SERIES) throw new Error(`there are only ${series} series`);
    progress(`${series} series, ${(body.length / 1e6).toFixed(1)} MB`);

    const pauses: Record<string, number[]> = { alone: [], scraped: [] };
    const window = async (name: 'alone' | 'scraped') => {
      const scraped = name === 'scraped' ? scrape(address, true) : undefined;
      const watched = await exporter.ask<Watched>({ ms: WINDOW_MS });
      if (((await scraped)?.length ?? 10_000) < 10_000) throw new Error('a scrape gave nearly nothing');
      pauses[name].push(watched.longestPauseMs);
      return watched.busyMs / watched.events;
    };
    const measured = await interleaved(
      { alone: () => window('alone'), scraped: () => window('scraped') },
      ROUNDS,
      progress,
    );
    const rate = (name: string) => `${Math.round(1 / measured.median(name))} events a busy ms`;
    progress(
      `alone ${rate('alone')}, longest pause ${longest(pauses.alone).toFixed(1)} ms; ` +
        `scraped ${rate('scraped')}, ${longest(pauses.scraped).toFixed(1)} ms`,
    );
    return [
      atLeast(
        'rate under saturated input kept with a scrape of 100,000 series each second, of the rate without',
        0.93,
        measured.ratio('alone', 'scraped'),
      ),
      atMost('longest pause of the event loop meanwhile', 30, longest(pauses.scraped), 'ms'),
    ];
  } finally {
    await Promise.all([exporter.stop(), feeder.stop()]);
  }
}

export const claim: Claim = { number: 5, title: 'scrapes under saturated input', measure };
