/** A word, a shape and a tone for each state of a prefix: no state is told by colour alone. */
import type { PrefixSummary } from '../api-schemas.ts';

export type State = PrefixSummary['state'];
export type Tone = 'good' | 'warn' | 'bad' | 'idle';

interface Look {
  readonly word: string;
  readonly tone: Tone;
  /** Inside a box of 16 by 16. */
  readonly shape: string;
}

/** Worst first. */
export const STATES: Readonly<Record<State, Look>> = {
  hijack: {
    word: 'Unexpected origin',
    tone: 'bad',
    shape: '<path d="M8 1l7 7-7 7-7-7z"/><path class="in" d="M8 4.6v4M8 10.4v1.2"/>',
  },
  outage: {
    word: 'Outage',
    tone: 'bad',
    shape: '<rect x="1.5" y="1.5" width="13" height="13" rx="2"/><path class="in" d="M5 5l6 6M11 5l-6 6"/>',
  },
  more_specific: {
    word: 'More-specific seen',
    tone: 'bad',
    shape: '<path class="line" d="M2 2h12v12H2z"/><rect x="8" y="8" width="6" height="6"/>',
  },
  old: { word: 'Old: stream down', tone: 'idle', shape: '<circle class="line dash" cx="8" cy="8" r="6"/>' },
  incomplete: {
    word: 'Incomplete',
    tone: 'warn',
    shape: '<circle class="line" cx="8" cy="8" r="6"/><path d="M8 2a6 6 0 000 12z"/>',
  },
  degraded: {
    word: 'Seen by fewer',
    tone: 'warn',
    shape: '<path d="M2 3h12L8 14z"/><path class="in" d="M8 5v3.4M8 10v.8"/>',
  },
  upstream: { word: 'Unexpected upstream', tone: 'warn', shape: '<path d="M8 2l6 11H2z"/>' },
  unseen: { word: 'Not seen yet', tone: 'idle', shape: '<circle class="line" cx="8" cy="8" r="6"/>' },
  ok: {
    word: 'As expected',
    tone: 'good',
    shape: '<circle cx="8" cy="8" r="6.5"/><path class="in" d="M5 8.2l2.1 2.1L11.2 6"/>',
  },
};

export const STATE_ORDER = Object.keys(STATES) as readonly State[];

export function stateHtml(state: State): string {
  const { word, tone, shape } = STATES[state];
  return `<span class="state ${tone}"><svg viewBox="0 0 16 16" aria-hidden="true">${shape}</svg>${word}</span>`;
}
