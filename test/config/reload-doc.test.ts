import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { RELOAD_DOC, reloadDoc } from '../../docs/generate-reload-doc.ts';

it('docs/reload.md is what `npm run docs:reload` writes', () => {
  expect(readFileSync(RELOAD_DOC, 'utf8')).toBe(reloadDoc());
});
