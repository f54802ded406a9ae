/** The picture in the README, what is written beside it, and the page of today show the same. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { agrees, altText, PICTURE, PICTURE_NOTES, type PictureNotes, readmeWith } from '../docs/generate-picture.ts';
import { OVERVIEW_COLUMNS } from '../src/outputs/page/render/overview.ts';
import { DEMO_SCENARIO } from '../src/simulator/scenario/demo-scenario.ts';

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const NOTES = JSON.parse(readFileSync(PICTURE_NOTES, 'utf8')) as PictureNotes;

it('is the picture that the notes are of', () => {
  expect(createHash('sha256').update(readFileSync(PICTURE)).digest('hex')).toBe(NOTES.sha256);
});

it('the README tells what the demo told, and says in words what the picture shows', () => {
  expect(README).toContain(`\`\`\`\n${NOTES.lines.join('\n')}\n\`\`\``);
  expect(README).toContain(`![${altText(NOTES)}](docs/images/landing-page.png)`);
  expect(readmeWith(README, NOTES)).toBe(README);
});

it('the page said the same of the hijacked prefix as the line of its metrics', () => {
  expect(agrees(NOTES)).toBe(true);
  const rows = NOTES.rows.map((row) => row.with(4, row[4].replace(/\d+$/, '1').replace(/ \d+ /, ' 1 ')));
  expect(agrees({ ...NOTES, rows })).toBe(false);
  const unjudged = NOTES.rows.map((row) => row.with(4, row[4].replace(' invalid: other AS', '')));
  expect(agrees({ ...NOTES, rows: unjudged })).toBe(false);
  expect(agrees({ ...NOTES, rows: [] })).toBe(false);
});

it('has every prefix of the demo, and the columns that the page has now', () => {
  const prefixes = NOTES.rows.map((row) => row[1].split(' ')[0]);
  expect(prefixes.toSorted()).toEqual(DEMO_SCENARIO.prefixes.map(({ prefix }) => prefix).toSorted());
  expect(NOTES.columns).toEqual(OVERVIEW_COLUMNS);
});
