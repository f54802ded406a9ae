/** How long a browser works on one frame of the overview while everything on it changes and it is scrolled. */
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

/** Where Debian has it, or what the environment names. */
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const WATCH_MS = 10_000;
const SCROLL_EVERY_MS = 50;

export interface Frames {
  /** CPU time of the longest task of the page's main thread: whatever a frame needs is done in one. */
  readonly longestMs: number;
  /** Tasks of 50 ms and more, which a browser calls long. */
  readonly long: number;
  readonly tasks: number;
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** CPU time of the thread, µs. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

const LONG_MS = 50;

/** Undefined: there is no Chromium here. @param url of the overview */
export async function framesOf(url: string): Promise<Frames | undefined> {
  if (!existsSync(CHROMIUM)) return undefined;
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run'],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.setDefaultTimeout(120_000);
    await page.goto(url);
    await page.getByText('live', { exact: true }).waitFor();
    await page.waitForTimeout(2_000);
    await browser.startTracing(page, { categories: ['toplevel', '__metadata'] });
    const untilMs = performance.now() + WATCH_MS;
    for (let i = 0; performance.now() < untilMs; i++) {
      await page.mouse.wheel(0, i % 40 < 20 ? 400 : -400);
      await page.waitForTimeout(SCROLL_EVERY_MS);
    }
    const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
    return framesIn(traceEvents);
  } finally {
    await browser.close();
  }
}

/** Of the renderer's main thread that did most: the page's. */
function framesIn(events: readonly TraceEvent[]): Frames {
  const threads = new Map<string, number[]>();
  for (const { name, pid, tid, args } of events)
    if (name === 'thread_name' && args?.name === 'CrRendererMain') threads.set(`${pid} ${tid}`, []);
  for (const { ph, name, pid, tid, tdur } of events)
    if (ph === 'X' && name.endsWith('RunTask') && tdur !== undefined) threads.get(`${pid} ${tid}`)?.push(tdur / 1_000);
  const sum = (tasks: readonly number[]) => tasks.reduce((all, one) => all + one, 0);
  const [tasks = []] = [...threads.values()].sort((a, b) => sum(b) - sum(a));
  if (tasks.length < 100) throw new Error(`the browser's trace has only ${tasks.length} tasks`);
  const longestMs = tasks.reduce((most, one) => Math.max(most, one), 0);
  return { longestMs, long: tasks.filter((ms) => ms >= LONG_MS).length, tasks: tasks.length };
}
