/** The overview, alive: rows change in place, a few milliseconds a frame, and move when their state does. */
import type { PrefixSummary } from '../api-schemas.ts';
import { compareRows, type Filter, matches, noneText, rowHtml, statusHtml, tallyHtml } from '../render/overview.ts';
import type { Connection } from './connection.ts';

/** Rows are written for at most this long in one frame, so that scrolling stays smooth. */
const FRAME_MS = 8;
/** Rows that move in one frame: the browser places everything below them again. */
const MAX_MOVES_A_FRAME = 40;

interface Row {
  summary: PrefixSummary;
  element: HTMLTableRowElement;
}

class Overview {
  readonly #body: HTMLElement;
  readonly #rows = new Map<string, Row>();
  readonly #pending = new Set<string>();
  readonly #template = document.createElement('template');
  #isScheduled = false;
  /** Whether rows came, went, or may stand at another place. */
  #isUnordered = false;

  constructor(body: HTMLElement) {
    this.#body = body;
  }

  take(summaries: readonly PrefixSummary[], all: boolean): void {
    if (all) {
      const kept = new Set(summaries.map(({ prefix }) => prefix));
      for (const prefix of this.#rows.keys()) if (!kept.has(prefix)) this.#remove(prefix);
    }
    for (const summary of summaries) {
      const row = this.#rows.get(summary.prefix);
      if (row === undefined) this.#rows.set(summary.prefix, { summary, element: this.#find(summary) });
      else {
        if (row.summary.state !== summary.state || compareRows(row.summary, summary) !== 0) this.#isUnordered = true;
        row.summary = summary;
      }
      this.#pending.add(summary.prefix);
    }
    if (all) this.#isUnordered = true;
    tally(this.#rows);
    this.#schedule();
  }

  /** Shows the rows that match, and says how many. */
  filter(): void {
    const wanted = filterNow();
    let shown = 0;
    for (const { summary, element } of this.#rows.values()) {
      element.hidden = !matches(summary, wanted);
      if (!element.hidden) shown++;
    }
    const output = document.getElementById('shown');
    if (output !== null) output.textContent = `${shown} of ${this.#rows.size} shown`;
    const none = document.getElementById('none');
    if (none === null) return;
    none.hidden = shown > 0;
    none.textContent = noneText(this.#rows.size);
  }

  get size(): number {
    return this.#rows.size;
  }

  /** The row that the server rendered, or a new one. */
  #find({ prefix, ...rest }: PrefixSummary): HTMLTableRowElement {
    const known = this.#body.querySelector<HTMLTableRowElement>(`tr[data-prefix="${CSS.escape(prefix)}"]`);
    if (known !== null) return known;
    this.#isUnordered = true;
    const element = this.#make({ prefix, ...rest });
    element.classList.add('new');
    this.#body.append(element);
    return element;
  }

  #make(summary: PrefixSummary): HTMLTableRowElement {
    // A row outside of a table would be dropped by the parser; inside a template it is not.
    this.#template.innerHTML = rowHtml(summary, !matches(summary, filterNow()));
    return this.#template.content.firstElementChild as HTMLTableRowElement;
  }

  #remove(prefix: string): void {
    this.#rows.get(prefix)?.element.remove();
    this.#rows.delete(prefix);
    this.#pending.delete(prefix);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    requestAnimationFrame(() => {
      this.#isScheduled = false;
      this.#write();
      if (this.#pending.size > 0) this.#schedule();
    });
  }

  #write(): void {
    const endMs = performance.now() + FRAME_MS;
    for (const prefix of this.#pending) {
      this.#pending.delete(prefix);
      const row = this.#rows.get(prefix);
      if (row !== undefined) this.#renew(row);
      if (performance.now() > endMs) return;
    }
    if (this.#isUnordered) this.#order();
    if (!this.#isUnordered) this.filter();
  }

  #renew(row: Row): void {
    const { element } = row;
    const next = this.#make(row.summary);
    if (element.innerHTML === next.innerHTML && element.className === next.className) return;
    const hadFocus = element.contains(document.activeElement);
    element.className = next.className;
    element.replaceChildren(...next.childNodes);
    if (hadFocus) element.querySelector('a')?.focus({ preventScroll: true });
  }

  /** Moves only rows that stand behind one that they come before; those for which a frame has no room move in the next ones. */
  #order(): void {
    this.#isUnordered = false;
    const sorted = [...this.#rows.values()].sort((a, b) => compareRows(a.summary, b.summary));
    let at = this.#body.firstElementChild;
    const focused = document.activeElement;
    let moves = 0;
    for (const { element } of sorted) {
      if (element === at) at = at.nextElementSibling;
      else if (moves++ < MAX_MOVES_A_FRAME) this.#body.insertBefore(element, at);
      else {
        this.#isUnordered = true;
        this.#schedule();
        break;
      }
    }
    if (focused instanceof HTMLElement && focused !== document.activeElement) focused.focus({ preventScroll: true });
  }
}

function tally(rows: ReadonlyMap<string, Row>): void {
  setHtml('tally', tallyHtml([...rows.values()].map(({ summary }) => summary)));
}

function setHtml(id: string, html: string): void {
  const element = document.getElementById(id);
  if (element !== null && element.innerHTML !== html) element.innerHTML = html;
}

function valueOfField(id: string): string {
  const field = document.getElementById(id);
  return field instanceof HTMLInputElement || field instanceof HTMLSelectElement ? field.value : '';
}

function filterNow(): Filter {
  return { text: valueOfField('q'), state: valueOfField('state'), group: valueOfField('group') };
}

export function startOverview(connection: Connection): void {
  const body = document.getElementById('rows');
  if (body === null) return;
  const overview = new Overview(body);
  const form = document.querySelector('form');
  document.getElementById('apply')?.setAttribute('hidden', '');
  const apply = (): void => {
    overview.filter();
    const { text, state, group } = filterNow();
    const query = new URLSearchParams(Object.entries({ q: text, state, group }).filter(([, value]) => value !== ''));
    history.replaceState(null, '', query.size === 0 ? location.pathname : `?${query}`);
  };
  form?.addEventListener('input', apply);
  form?.addEventListener('submit', (event) => {
    event.preventDefault();
    apply();
  });
  connection.listen('', {
    status: (status) => setHtml('status', statusHtml(status)),
    prefixes: ({ all, count, prefixes }) => {
      overview.take(prefixes, all);
      // A prefix of this page was removed. Only the whole list tells which one.
      if (overview.size !== count) location.reload();
    },
  });
}
