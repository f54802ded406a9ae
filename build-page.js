/**
 * Makes the script of the page for people: all of it in one file, since the page loads nothing from elsewhere. Runs in
 * `npm run build`, and writes dist/page.js where no other file is named.
 */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));

await build({
  entryPoints: [path('src/outputs/page/browser/main.ts')],
  outfile: process.argv[2] ?? path('dist/page.js'),
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  legalComments: 'inline',
  logLevel: 'warning',
});
