/**
 * Writes the picture of the exporter's page that README.md shows, what the page said at that moment, and README.md's lines
 * and words about it: `npm run docs:picture`. It plays the demo for a minute and a half, up to its hijack, and needs Chromium
 * (`CHROMIUM`, or /usr/bin/chromium) and the font Inter. A test, which needs neither, says when they do not fit together.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { aborted } from '../src/commands/command.ts';
import { demoCommand } from '../src/commands/simulator/demo.ts';
import { VALIDITY_WORDS } from '../src/outputs/page/render/overview.ts';

const README = fileURLToPath(new URL('../README.md', import.meta.url));
export const PICTURE = fileURLToPath(new URL('images/landing-page.png', import.meta.url));
/** The page of the hijacked prefix, for docs/page.md. */
export const PREFIX_PICTURE = fileURLToPath(new URL('images/prefix-page.png', import.meta.url));
export const PICTURE_NOTES = fileURLToPath(new URL('images/landing-page.json', import.meta.url));

/** What the picture shows, as text. */
export interface PictureNotes {
  /** Of the picture, in hexadecimal digits: a picture from elsewhere does not fit the rest. */
  readonly sha256: string;
  /** What the demo told of the recovery and of the hijack, each with the line of its metrics. */
  readonly lines: readonly string[];
  /** Headings of the table of prefixes. */
  readonly columns: readonly string[];
  /** Its cells, whitespace folded. */
  readonly rows: readonly (readonly string[])[];
}

/** The prefix that is hijacked, as README.md speaks of it. */
export const HIJACKED = '198.51.100.0/24';
const HIJACKER = 'AS64666';

/** Places of columns in a row of the notes. */
const COLUMN = { prefix: 1, visible: 2, origins: 4 } as const;

const WIDTH = 1280;
/** Pixels below the last chart that the picture shows. */
const MARGIN = 10;
/** The demo may take so long to come to its hijack. */
const LIMIT_MS = 180_000;
/** Tries to catch the page while it says what the line said: vantage points change their paths all the time. */
const TRIES = 40;
const RETRY_MS = 250;

/** README.md's words below the picture, for people who cannot see it. */
export function altText({ rows }: Pick<PictureNotes, 'rows'>): string {
  const row = rowOf(rows);
  const [, unexpected] = /(\d+) unexpected/.exec(row[COLUMN.origins]) ?? [];
  const [, visible] = /(\d+) of/.exec(row[COLUMN.visible]) ?? [];
  return `The exporter's own page during a hijack: ${unexpected} of ${visible} vantage points see ${HIJACKED} from an unexpected origin`;
}

/** README.md with this picture's words and lines. */
export function readmeWith(readme: string, notes: PictureNotes): string {
  return readme.replace(
    /!\[[^\]]*\]\(docs\/images\/landing-page\.png\)\n\n```\n[\s\S]*?\n```/,
    () => `![${altText(notes)}](docs/images/landing-page.png)\n\n\`\`\`\n${notes.lines.join('\n')}\n\`\`\``,
  );
}

/** Whether the page says of the hijacked prefix what the line of its metrics said, which of validity tells only what is wrong. */
export function agrees({ lines, rows }: Pick<PictureNotes, 'lines' | 'rows'>): boolean {
  const [, visible, expected] = /visible at (\d+) of (\d+) VPs/.exec(lines.at(-1) ?? '') ?? [];
  const [, origins] = /; origin ([^;]*)/.exec(lines.at(-1) ?? '') ?? [];
  const said = origins?.replaceAll(/ at (\d+)(?: \(([^)]*)\))?,?/g, (_, vps: string, notes = '') => {
    const [, validity] = /RPKI (invalid_as|invalid_length)/.exec(notes) ?? [];
    const judged = validity === undefined ? '' : ` ${VALIDITY_WORDS[validity as keyof typeof VALIDITY_WORDS]}`;
    return ` ${vps}${/unexpected/.test(notes) ? ' unexpected' : ''}${judged}`;
  });
  const row = rowOf(rows);
  const shown = row[COLUMN.origins].replaceAll(` ${VALIDITY_WORDS.valid}`, '');
  return said !== undefined && row[COLUMN.visible].endsWith(` ${visible} of ${expected}`) && shown === said;
}

function rowOf(rows: PictureNotes['rows']): readonly string[] {
  const cells = rows.find((row) => row[COLUMN.prefix]?.startsWith(HIJACKED)) ?? [];
  return Array.from({ length: COLUMN.origins + 1 }, (_, i) => cells[i] ?? '');
}

/** What the page says now. */
async function notesOf(page: Page, lines: readonly string[]): Promise<Omit<PictureNotes, 'sha256'>> {
  const fold = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();
  const table = page.locator('table').first();
  const rows = await Promise.all(
    (await table.locator('tbody tr').all()).map(async (row) => (await row.locator('td').allInnerTexts()).map(fold)),
  );
  return { lines, columns: (await table.locator('th').allInnerTexts()).map(fold), rows };
}

function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
}

async function takePicture(browser: Browser, address: string, lines: readonly string[]): Promise<PictureNotes> {
  // The page prefers the font Inter, which need not be on the next machine.
  const context = await browser.newContext({ viewport: { width: WIDTH, height: 700 } });
  const page = await context.newPage();
  await page.goto(address);
  await page.getByText('live', { exact: true }).waitFor();
  for (let i = 0; i < TRIES; i++) {
    const notes = await notesOf(page, lines);
    // Whole rows: the page to its end, however long it is.
    const picture = await page.screenshot({ fullPage: true, path: PICTURE });
    // The page is alive: it must say the same before and after the picture was taken.
    const after = await notesOf(page, lines);
    if (!agrees(notes) || JSON.stringify(notes) !== JSON.stringify(after)) {
      await page.waitForTimeout(RETRY_MS);
      continue;
    }
    await page.goto(`${address}prefix/${HIJACKED}`);
    // The hijacker has a line of its own from the next sample on, which comes before the recovery.
    await page.locator('#c-origins .u-legend').filter({ hasText: HIJACKER }).waitFor();
    const charts = await page.locator('#c-origins').boundingBox();
    if (charts === null) throw new Error('the page of the prefix shows no origins');
    // Its first part: the package holds the picture, and is to stay small.
    await page.screenshot({
      fullPage: true,
      clip: { x: 0, y: 0, width: WIDTH, height: Math.ceil(charts.y + charts.height) + MARGIN },
      path: PREFIX_PICTURE,
    });
    return { sha256: createHash('sha256').update(picture).digest('hex'), ...notes };
  }
  throw new Error(`the page did not say what the demo told: ${lines.at(-1)}`);
}

/** Plays the demo until `isDone` is true of what it told so far, then calls `use` while it goes on. */
async function withDemo<T>(isDone: (text: string) => boolean, use: (text: string) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  let text = '';
  const told = new AbortController();
  const stdout = new Writable({
    write(chunk: Buffer, _, done) {
      text += chunk.toString();
      if (isDone(text)) told.abort();
      done();
    },
  });
  const io = { env: process.env, stdout, stderr: process.stderr, signal: stop.signal };
  const demo = demoCommand.run(['--web.listen-address=127.0.0.1:0'], {
    ...io,
    onHangup: () => () => {},
    onFatal: () => {},
  });
  const late = setTimeout(() => stop.abort(), LIMIT_MS);
  try {
    await Promise.race([aborted(told.signal), demo]);
    if (!told.signal.aborted) throw new Error(`the demo told no hijack:\n${text}`);
    return await use(text);
  } finally {
    clearTimeout(late);
    stop.abort();
    await demo;
  }
}

const EVENTS =
  /^.* {2}recovery of 192\.23\.62\.0\/24.*\n.*metrics: .*\n|^.* {2}hijack of 198\.51\.100\.0\/24.*\n.*metrics: .*\n/gm;

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  // It starts before the demo: while it would start, the page would move away from what the demo told.
  const browser = await launch();
  const notes = await withDemo(
    (text) => [...text.matchAll(EVENTS)].length === 2,
    async (text) => {
      const [address] = /http:\/\/\S+\/(?=\s+a page)/.exec(text) ?? [''];
      // What the demo says of alerts has no place here: its quick round is too short for them.
      const lines = [...text.matchAll(EVENTS)].flatMap(([event]) => event.trimEnd().split('\n'));
      return takePicture(browser, address, lines);
    },
  ).finally(() => browser.close());
  writeFileSync(PICTURE_NOTES, `${JSON.stringify(notes, undefined, 2)}\n`);
  writeFileSync(README, readmeWith(readFileSync(README, 'utf8'), notes));
}
