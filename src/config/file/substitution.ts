/**
 * `${NAME}` in the texts of the configuration file: replaced by the environment variable of that name. It happens after
 * the YAML was read, so that no value of a variable can change the structure. `$$` is a dollar sign; any other `$` stays.
 */

/** Variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

export type Substituted = { readonly text: string; readonly changed: boolean } | { readonly problem: string };

/** A variable that is unset or empty is a problem: an empty key or address is never what was meant. */
export function substitute(text: string, env: Environment): Substituted {
  if (!text.includes('$')) return { text, changed: false };
  let problem: string | undefined;
  const result = text.replace(/\$(?:\$|\{([^}]*)(\}?))/g, (match: string, name: string | undefined, end: string) => {
    if (match === '$$') return '$';
    if (end === '' || name === undefined || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      problem ??= 'expected the name of an environment variable in the braces after $ (write $$ for a dollar sign)';
      return match;
    }
    // Object.hasOwn, because the name comes from the user, and `constructor` is not a variable.
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    if (value === undefined || value === '') {
      problem ??= `the environment variable ${name} is ${value === undefined ? 'not set' : 'empty'}`;
      return match;
    }
    return value;
  });
  return problem === undefined ? { text: result, changed: result !== text } : { problem };
}
