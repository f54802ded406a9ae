/** The page of one prefix, alive: parts are replaced when they differ, lines of time grow. */
import type { PrefixDetail } from '../api-schemas.ts';
import { prefixParts, WINDOWS } from '../render/prefix.ts';
import { chartsOf } from '../render/prefix-charts.ts';
import { Charts } from './charts.ts';
import { showLocalTimes } from './clock.ts';
import type { Connection } from './connection.ts';

type Window = (typeof WINDOWS)[number];

export function startPrefix(connection: Connection): void {
  const main = document.querySelector<HTMLElement>('[data-prefix]');
  const prefix = main?.dataset.prefix;
  if (main === null || prefix === undefined) return;
  const charts = new Charts();
  let window: Window = WINDOWS.find((each) => each === main.dataset.window) ?? '1h';
  /** What each part was made of last. */
  const shown = new Map<string, string>();
  const show = (detail: PrefixDetail): void => {
    for (const [id, html] of Object.entries(prefixParts(detail))) {
      const element = document.getElementById(id);
      if (element === null || shown.get(id) === html) continue;
      shown.set(id, html);
      const scrolled = [...element.querySelectorAll('.scroll')].map((box) => [box.scrollLeft, box.scrollTop] as const);
      element.innerHTML = html;
      for (const [i, box] of element.querySelectorAll('.scroll').entries()) box.scrollTo(...(scrolled[i] ?? [0, 0]));
      showLocalTimes(element);
    }
    if (detail.history !== null) charts.show(chartsOf(detail.history), detail.marks);
  };
  const listen = (): void =>
    connection.listen(`?${new URLSearchParams({ prefix, window })}`, { prefix: show, status: () => {} });
  for (const link of document.querySelectorAll<HTMLAnchorElement>('[data-window]'))
    link.addEventListener('click', (event) => {
      const chosen = WINDOWS.find((each) => each === link.dataset.window);
      if (chosen === undefined || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      window = chosen;
      for (const other of document.querySelectorAll('[data-window]')) other.removeAttribute('aria-current');
      link.setAttribute('aria-current', 'true');
      history.replaceState(null, '', `?window=${window}`);
      listen();
    });
  listen();
}
