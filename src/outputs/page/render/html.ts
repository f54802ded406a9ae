/** Text, numbers and times as HTML; for the server and the browser alike. */

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

/** `AS64500`; an AS_SET and `other` as they are. */
export function asName(as: string): string {
  return escapeHtml(/^[0-9]/.test(as) ? `AS${as}` : as);
}

const MAX_NAME_SHOWN = 40;

/** The name of an AS below its number; nothing where it has none. */
export function nameHtml(name: string | null): string {
  if (name === null || name === '') return '';
  // By code points: half of a pair is not a character.
  const characters = [...name];
  const shown = characters.length > MAX_NAME_SHOWN ? `${characters.slice(0, MAX_NAME_SHOWN).join('')}…` : name;
  return `<small>${escapeHtml(shown)}</small>`;
}

/** Rounded down: 99.97 % is not all of them. */
export function percent(ratio: number): string {
  return `${Math.floor(ratio * 1000) / 10} %`;
}

/** A number of at most one decimal. */
export function short(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** `1 prefix`, `2 prefixes`. */
export function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** `5 s`, `3 min`, `2 h 5 min`, `4 d 3 h`. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A time of RFC 3339 as `11-28 19:45:10`, in UTC; the script adds the local one. */
export function timeHtml(at: string): string {
  return `<time datetime="${escapeHtml(at)}">${escapeHtml(at.slice(5, 19).replace('T', ' '))}</time>`;
}

/** @param now a time of RFC 3339 */
export function ageOf(at: string, now: string): string {
  return formatAge(Date.parse(now) - Date.parse(at));
}
