import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERRORS, ERRORS_DOC, errorsDoc } from '../docs/generate-errors-doc.ts';
import { DATA_API_ERROR_CODES, ERROR_CODES } from '../src/errors.ts';

describe('docs/errors.md', () => {
  it('is what npm run docs:errors writes', () => {
    expect(readFileSync(ERRORS_DOC, 'utf8')).toBe(errorsDoc());
  });

  it('has the codes of a history under the class that carries them, and no other there', () => {
    const ofHistory = ERROR_CODES.filter((code) => ERRORS[code].errorClass === 'DataApiError');
    expect(ofHistory).toEqual([...DATA_API_ERROR_CODES]);
  });

  it('names the class that carries each other code', () => {
    const texts = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => readFileSync(join('src', path), 'utf8'));
    const carried = texts.flatMap((text) => [
      ...[...text.matchAll(/class (\w+) extends ExporterError \{(?:(?!\nclass )[\s\S])*?super\('([A-Z_]+)'/g)],
      ...[...text.matchAll(/new (ExporterError)\('([A-Z_]+)'/g)],
    ]);
    const others = ERROR_CODES.filter((code) => ERRORS[code].errorClass !== 'DataApiError');
    const classes = new Map(carried.map(([, errorClass, code]) => [code, errorClass]));
    expect(others.map((code) => [code, classes.get(code)])).toEqual(
      others.map((code) => [code, ERRORS[code].errorClass]),
    );
  });
});
