/** Times in UTC, as the server writes them, and in the reader's own zone. */

const twoDigits = (value: number): string => String(value).padStart(2, '0');

/** `2026-11-28 19:45:10` in the reader's zone. */
function local(date: Date): string {
  const day = `${date.getFullYear()}-${twoDigits(date.getMonth() + 1)}-${twoDigits(date.getDate())}`;
  return `${day} ${localTime(date)}`;
}

function localTime(date: Date): string {
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':');
}

export function utcTime(date: Date): string {
  return date.toISOString().slice(11, 19);
}

/** The clock of the page goes on. */
export function keepClock(): void {
  const clock = document.getElementById('clock');
  if (clock === null) return;
  const show = (): void => {
    const now = new Date();
    const own = now.getTimezoneOffset() === 0 ? '' : ` · ${localTime(now)} local`;
    clock.textContent = `${now.toISOString().slice(0, 10)} ${utcTime(now)} UTC${own}`;
  };
  show();
  setInterval(show, 1_000);
}

/** Each time says in its title what it is in the reader's zone. */
export function showLocalTimes(part: ParentNode): void {
  for (const time of part.querySelectorAll('time')) time.title = `${local(new Date(time.dateTime))} local time`;
}
