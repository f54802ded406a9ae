/** URLs of strangers. */

/** The URL of a text; undefined when it is none. `URL.canParse` does not tell: it takes some texts that `URL` then refuses. */
export function parseUrl(text: string, base?: string): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}
