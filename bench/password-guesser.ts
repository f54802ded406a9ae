/**
 * A process that asks `/metrics` with wrong passwords, so many times a second as it is told to. Each request has another
 * user and another password, and comes from one of many addresses: no answer is remembered, and no bound of one address
 * spares the exporter work.
 */
import { request } from 'node:http';

export interface Guessing {
  /** Host and port of the exporter. */
  readonly address: string;
  /** Requests a second; 0 ends it. */
  readonly perSecond: number;
}

export interface Guessed {
  /** Answers since the last question, by HTTP status. */
  readonly answers: Readonly<Record<number, number>>;
}

/** 127.0.0.2 and so on: Linux answers under all of them. */
const ADDRESSES = 100;

let timer: NodeJS.Timeout | undefined;
let guesses = 0;
let answers: Record<number, number> = {};

function guess(address: string): void {
  guesses++;
  const [host, port] = address.split(':');
  const user = guesses % 2 === 0 ? `user${guesses % 3}` : `nobody${guesses}`;
  request({
    host,
    port,
    path: '/metrics',
    auth: `${user}:guess ${guesses}`,
    agent: false,
    localAddress: process.platform === 'linux' ? `127.0.0.${2 + (guesses % ADDRESSES)}` : undefined,
  })
    .on('response', (response) => {
      answers[response.statusCode ?? 0] = (answers[response.statusCode ?? 0] ?? 0) + 1;
      response.resume();
    })
    .on('error', () => {
      answers[0] = (answers[0] ?? 0) + 1;
    })
    .end();
}

process.on('message', ({ address, perSecond }: Guessing) => {
  clearInterval(timer);
  if (perSecond > 0) timer = setInterval(() => guess(address), 1_000 / perSecond);
  const guessed: Guessed = { answers };
  answers = {};
  process.send?.(guessed);
});
process.once('disconnect', () => process.exit(0));
