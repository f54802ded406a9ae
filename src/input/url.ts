/** URLs of strangers. */

/** The URL of a text; undefined when the text is not a URL. `URL.canParse` does not tell: it takes some texts that `URL` then refuses. */
export function parseUrl(text: string, base?: string): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}

/** The user and the password of a URL, decoded; unchanged where a percent sign begins no escape, as in `50%off`. */
export function credentialsOf({ username, password }: URL): { readonly user: string; readonly password: string } {
  return { user: decoded(username), password: decoded(password) };
}

/** What must never be printed of a URL: its password, as it stands and decoded. */
export function urlSecrets(url: URL): string[] {
  const { password } = url;
  return password === '' ? [] : [password, decoded(password)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
