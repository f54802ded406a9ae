/** What the YAML parser finds wrong, in words for people who write a configuration and no parser. */

/** The parser's own texts for these quote what is written there, which may be a key, or speak to programmers. */
const BY_CODE: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'the line is indented with a tab, expected blanks',
  BAD_DQ_ESCAPE: 'a \\ in double quotes begins no escape that YAML knows (put the text in single quotes)',
  BAD_ALIAS: 'a name is missing behind * or & (quote a text that starts with one)',
  BLOCK_IN_FLOW: 'a [ or { before this place is not closed',
  TAG_RESOLVE_FAILED: 'tags are not read (quote a text that starts with !)',
  MULTIPLE_DOCS: 'expected one document, got a second one',
  NON_STRING_KEY: 'expected a text as key',
  RESOURCE_EXHAUSTION: 'lists or maps are nested too deeply',
  KEY_OVER_1024_CHARS: 'a key is longer than 1,024 characters',
};

/** The other codes stand for several mistakes each, which only the parser's text tells apart. */
const BY_TEXT: readonly (readonly [RegExp, string])[] = [
  [/^Missing closing (["'])/, 'a closing $1 is missing before this place'],
  [/ end with a ([\]}])$/, 'a closing $1 is missing before this place'],
  [/^Sequence item without - indicator/, 'the line is indented like a list, but does not begin with "- "'],
  [/^All (?:sequence|mapping) items must start at the same column/, 'the line is not indented like those before it'],
  [
    /^Nested mappings are not allowed in compact mappings/,
    'a "key: value" inside a value: a line is indented too far, or a text with ": " needs quotes',
  ],
  [/^Implicit (?:map )?keys /, 'expected "key: value", got no ":" behind the key'],
  [/^Plain value cannot start with (?:\S+ )*?(\S)$/, 'quote a text that starts with $1'],
  [/^Missing , (?:or : )?between/, 'a comma is missing before this place'],
  [/^Missing space after :/, 'a blank is missing after the colon'],
  [/^Comments must be separated/, 'a blank is missing before the #'],
  [
    /^(?:Unexpected|Unsupported|Expected a flow)/,
    'expected something else here; a quote, bracket or colon before it may be missing',
  ],
];

/** @param text what the parser said; its first line counts */
export function yamlFault(code: string, text: string): string {
  if (Object.hasOwn(BY_CODE, code)) return BY_CODE[code];
  const [line] = text.split('\n', 1);
  for (const [pattern, words] of BY_TEXT) {
    const [said] = pattern.exec(line) ?? [];
    if (said !== undefined) return said.replace(pattern, words);
  }
  return line;
}
