/** Claim 13: somebody who guesses passwords, twenty a second, neither slows a saturated exporter down nor holds it up. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { Child } from './child.ts';
import { atLeast, atMost, type BenchContext, type Claim, type Finding } from './claim.ts';
import { fedConfig } from './fed-config.ts';
import type { FeederInput, FeederReady } from './feeder.ts';
import type { StreamShape } from './messages.ts';
import type { Guessed, Guessing } from './password-guesser.ts';
import { interleaved, median } from './rounds.ts';
import type { Watched } from './scraped-exporter.ts';

const PER_SECOND = 20;
/** What exporter-toolkit's documentation makes hashes with. */
const BCRYPT_COST = 10;
const USERS = 3;
const SHAPE: StreamShape = { vps: 1_000, prefixes: 1_000, origins: 5, messages: 200_000 };
const WINDOW_MS = 1_000;
/** Until what was asked in a window is answered: at most 32 comparisons wait. */
const SETTLING_MS = 3_000;
/** Until comparisons wait for one another. */
const BEGINNING_MS = 500;
/** Windows in a row, since waiting between the kinds costs more than measuring. */
const WINDOWS = 4;
const ROUNDS = 8;
const FILLING = 5;

/** Statuses of refusals: a wrong password, and as many comparisons waiting as may. */
const REFUSALS = ['401', '503'];

async function measure({ progress }: BenchContext): Promise<Finding[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bgp-bench-'));
  const feeder = new Child('feeder');
  const exporter = new Child('scraped-exporter');
  const guesser = new Child('password-guesser');
  try {
    const webConfig = join(folder, 'web.yml');
    const users = Array.from({ length: USERS }, (_, i) => `  user${i}: ${hashSync(`right ${i}`, BCRYPT_COST)}\n`);
    writeFileSync(webConfig, `basic_auth_users:\n${users.join('')}`);
    const input: FeederInput = { shape: SHAPE, recording: undefined };
    const { port } = await feeder.ask<FeederReady>(input);
    const yaml = fedConfig(SHAPE.prefixes, port, webConfig);
    const address = await exporter.ask<string>({ yaml });
    for (let i = 0; i < FILLING; i++) await exporter.ask<Watched>({ ms: WINDOW_MS });

    const watched: Record<'alone' | 'guessed', Watched[]> = { alone: [], guessed: [] };
    const answers: Record<string, number> = {};
    const guess = async (perSecond: number) => {
      const guessed = await guesser.ask<Guessed>({ address, perSecond } satisfies Guessing);
      for (const [status, count] of Object.entries(guessed.answers)) answers[status] = (answers[status] ?? 0) + count;
    };
    const windows = async (name: 'alone' | 'guessed') => {
      if (name === 'guessed') {
        await guess(PER_SECOND);
        await exporter.ask<Watched>({ ms: BEGINNING_MS });
      }
      const seen: Watched[] = [];
      for (let i = 0; i < WINDOWS; i++) seen.push(await exporter.ask<Watched>({ ms: WINDOW_MS }));
      watched[name].push(...seen);
      if (name === 'guessed') {
        await guess(0);
        await exporter.ask<Watched>({ ms: SETTLING_MS });
        await guess(0);
      }
      return median(seen.map(({ busyMs, events }) => busyMs / events));
    };
    const measured = await interleaved(
      { alone: () => windows('alone'), guessed: () => windows('guessed') },
      ROUNDS,
      progress,
    );
    const strange = Object.keys(answers).filter((status) => !REFUSALS.includes(status));
    if (strange.length > 0 || !((answers[401] ?? 0) > 0))
      throw new Error(`wrong passwords were answered with ${JSON.stringify(answers)}`);
    const of = (name: 'alone' | 'guessed', value: (each: Watched) => number) => median(watched[name].map(value));
    // The longest of the windows of a round: what is rare is not lost in a median.
    const pause = (name: 'alone' | 'guessed') =>
      median(
        Array.from({ length: watched[name].length / WINDOWS }, (_, i) =>
          Math.max(...watched[name].slice(i * WINDOWS, (i + 1) * WINDOWS).map(({ longestPauseMs }) => longestPauseMs)),
        ),
      );
    for (const name of ['alone', 'guessed'] as const) {
      progress(
        `${name}: ${Math.round(of(name, ({ events, busyMs }) => events / busyMs))} events a busy ms, ` +
          `${Math.round(of(name, ({ events }) => events / WINDOW_MS))} thousand a second, ` +
          `longest pause ${pause(name).toFixed(1)} ms, CPU of the process ` +
          `${Math.round(of(name, ({ processMs }) => (100 * processMs) / WINDOW_MS))} % of a core`,
      );
    }
    progress(`answers by status: ${JSON.stringify(answers)}`);
    return [
      atLeast(
        `rate under saturated input kept with ${PER_SECOND} wrong passwords a second, of the rate without`,
        0.9,
        measured.ratio('alone', 'guessed'),
      ),
      atMost('longest pause of the event loop meanwhile', 30, pause('guessed'), 'ms'),
    ];
  } finally {
    await Promise.all([guesser.stop(), exporter.stop(), feeder.stop()]);
    rmSync(folder, { recursive: true });
  }
}

export const claim: Claim = { number: 13, title: 'wrong passwords under saturated input', measure };
