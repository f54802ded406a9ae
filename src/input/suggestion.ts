/** The known word that was probably meant by a mistyped one, for "did you mean …?". */

/** Letters by which a short word is known. */
const MIN_BEGINNING = 2;

/** Undefined when no word is near enough, or two words are equally near: a wrong guess is worse than no guess. */
export function suggestion(word: string, known: Iterable<string>): string | undefined {
  const written = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const meant = candidate.toLowerCase();
    // A word that begins right is probably the one that was meant: two letters may be wrong even in a short one.
    const begins = written.length > MIN_BEGINNING && written.slice(0, MIN_BEGINNING) === meant.slice(0, MIN_BEGINNING);
    const allowed = Math.max(begins ? 2 : 1, Math.floor(written.length / 3));
    if (Math.abs(meant.length - written.length) > allowed) continue;
    const distance = editDistance(written, meant);
    if (distance > allowed || distance > bestDistance) continue;
    best = distance === bestDistance && candidate !== best ? undefined : candidate;
    bestDistance = distance;
  }
  return best;
}

/** `, did you mean tail?`, or nothing. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const near = suggestion(word, known);
  return near === undefined ? '' : `, did you mean ${near}?`;
}

/** `a, b or c`: the words that are known. */
export function alternatives(known: readonly string[]): string {
  return known.length < 2 ? known.join('') : `${known.slice(0, -1).join(', ')} or ${known.at(-1)}`;
}

/** Levenshtein distance in which two neighbours swapped count one (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(substituted, last[j] + 1, row[j - 1] + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
      }
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length];
}
