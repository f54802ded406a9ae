import { describe, expect, it } from 'vitest';
import { FILL } from '../../dashboards/src/colours.ts';
import { contrast, difference, type Eye } from './colour-vision.ts';

const EYES: readonly Eye[] = ['usual', 'deuteranope', 'protanope', 'tritanope'];

describe.each(EYES)('for an eye that is %s', (eye) => {
  it('any two states of a bar or cell differ at a glance', () => {
    const states = Object.entries(FILL);
    for (const [index, [name, colour]] of states.entries()) {
      for (const [other, its] of states.slice(index + 1)) {
        expect(difference(colour, its, eye), `${name}, ${other}`).toBeGreaterThan(15);
      }
    }
  });
});

it.each(Object.entries(FILL))('white text can be read on %s', (_, colour) => {
  expect(contrast(colour, '#ffffff')).toBeGreaterThan(3);
});

it('the measure finds fault with green beside red, and with white on yellow', () => {
  expect(difference('#000000', '#ffffff', 'usual')).toBeCloseTo(100, 1);
  expect(difference('#3274d9', '#3274d9', 'deuteranope')).toBe(0);
  expect(difference('#73bf69', '#f2495c', 'usual')).toBeGreaterThan(50);
  expect(difference('#73bf69', '#f2495c', 'deuteranope')).toBeLessThan(10);
  expect(contrast('#fade2a', '#ffffff')).toBeCloseTo(1.36, 1);
  expect(contrast('#000000', '#ffffff')).toBe(21);
});
