/**
 * The colours of the dashboards. Nothing is told by green against red: blue is well, orange and dark red are not, grey is
 * not known. The fills differ for every kind of colour-blindness, and white text can be read on each (a test measures both).
 */

/** Bars of timelines and cells of tables. */
export const FILL = {
  ok: '#1F60C4',
  lower: '#5897D3',
  low: '#D2601A',
  gone: '#98103F',
  unknown: '#808080',
} as const;

/** Numbers and words on the page itself. Grafana's names have one tone for its dark page and one for its light page. */
export const INK = {
  plain: 'text',
  ok: 'blue',
  low: 'dark-orange',
  gone: 'red',
  unknown: '#808080',
} as const;
