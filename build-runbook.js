/**
 * Renders docs/runbook.md as one page without parts of its own, dist/runbook.html, which the exporter serves at /runbook. Runs at the
 * end of `npm run build`; the first argument names another target.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Marked } from 'marked';

const STYLE = `
:root{color-scheme:light dark;--text:#1a2330;--dim:#5d6b7c;--line:#dfe5ec;--back:#fff;--head:#f5f7fa;--link:#1f5fa8}
@media(prefers-color-scheme:dark){:root{--text:#e4e9ef;--dim:#98a5b4;--line:#2c3743;--back:#12181f;--head:#1a222b;--link:#7db7f0}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:48rem;padding:2rem 1.25rem 60vh;background:var(--back);color:var(--text);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
h1{margin:0;font-size:1.5rem}h2{margin:2.5rem 0 .6rem;padding:.3rem .5rem;border-bottom:1px solid var(--line);font-size:1.15rem;overflow-wrap:anywhere}
h2:target,h2:has(:target){background:var(--head);border-left:.3rem solid var(--link)}
h2 a{color:inherit;text-decoration:none}a{color:var(--link)}li{margin:.3rem 0}
code{padding:.05em .3em;border-radius:.25rem;background:var(--head);font:.92em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
nav ul{columns:2;padding-left:1.2rem}@media(max-width:40rem){nav ul{columns:1}}
`;

/** Nothing may be loaded or run but this very style. */
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`;

/** @param {string} text */
function escapeHtml(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/**
 * The page. A section can be reached by its alert's name, as it is and in small letters. The exporter serves no other document: what
 * links to one names its file.
 * @param {string} markdown with one `# ` heading, and a `## ` heading an alert
 * @returns {string}
 */
export function renderRunbook(markdown) {
  /** @type {string[]} */
  const sections = [];
  const marked = new Marked({
    gfm: true,
    renderer: {
      heading(text, level) {
        if (level !== 2) return `<h${level}>${text}</h${level}>\n`;
        sections.push(text);
        const anchor = text.toLowerCase();
        return `<h2 id="${anchor}"><a id="${text}" href="#${anchor}">${text}</a></h2>\n`;
      },
      link(href, _title, text) {
        if (href.startsWith('#')) return `<a href="${escapeHtml(href)}">${text}</a>`;
        if (/^https?:/.test(href)) return `<a href="${escapeHtml(href)}" rel="noreferrer">${text}</a>`;
        const file = `docs/${href.replace(/#.*$/, '')}`;
        return file.endsWith(`/${text}`) ? `<code>${file}</code>` : `${text} (<code>${file}</code>)`;
      },
      html: escapeHtml,
    },
  });
  const body = marked.parse(markdown);
  const list = sections.map((name) => `<li><a href="#${name.toLowerCase()}">${name}</a></li>`).join('\n');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Runbook of bgproutes-exporter</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${body}</main>
<nav aria-label="Alerts">
<h2>All alerts</h2>
<ul>
${list}
</ul>
</nav>
</body>
</html>
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const target = process.argv[2] ?? fileURLToPath(new URL('dist/runbook.html', import.meta.url));
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, renderRunbook(readFileSync(new URL('docs/runbook.md', import.meta.url), 'utf8')));
}
