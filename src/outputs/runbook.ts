/** The runbook, as the build rendered it from docs/runbook.md: the alerts lead to `/runbook#` and their name. */
import { readFile } from 'node:fs/promises';

/** The page is in the package, beside the compiled modules; it was not written where the sources run as they are. */
const FILE = new URL('../runbook.html', import.meta.url);

/** What the page may do beside what it forbids itself: `frame-ancestors` counts in a header only. */
export const RUNBOOK_POLICY = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The page; undefined when there is no build. It is read at each request: people rarely ask, and memory is dearer. */
export async function readRunbook(file: URL = FILE): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
