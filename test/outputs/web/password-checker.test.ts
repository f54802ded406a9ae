import { afterEach, describe, expect, it } from 'vitest';
import { PasswordChecker } from '../../../src/outputs/web/password-checker.ts';
import { HASH } from './secure-world.ts';

const USERS = new Map([['noc', HASH]]);
/** Of no password; takes minutes to compare. */
const ENDLESS = new Map([['slow', HASH.replace('$04$', '$20$')]]);

let passwords: PasswordChecker;

afterEach(() => passwords.close());

describe('a password', () => {
  it('is answered at once the second time, right or wrong', async () => {
    passwords = new PasswordChecker();
    for (const [name, password, answer] of [
      ['noc', 'right-password', 'right'],
      ['noc', 'wrong', 'wrong'],
      ['nobody', 'right-password', 'wrong'],
    ] as const) {
      const first = passwords.check(USERS, name, password, 'local');
      expect(first).toBeInstanceOf(Promise);
      expect(await first).toBe(answer);
      expect(passwords.check(USERS, name, password, 'local')).toBe(answer);
    }
  });

  it('that many ask about at once is compared once', () => {
    passwords = new PasswordChecker();
    const first = passwords.check(ENDLESS, 'slow', 'x', 'a');
    expect(passwords.check(ENDLESS, 'slow', 'x', 'b')).toBe(first);
  });

  it('waits behind few others of its address, and few of all', () => {
    passwords = new PasswordChecker();
    const waits = (address: string, from: number, count: number) =>
      Array.from({ length: count }, (_, i) => passwords.check(ENDLESS, 'slow', `wrong ${from + i}`, address));
    expect(waits('a', 0, 5).map((answer) => answer === 'busy')).toEqual([false, false, false, false, true]);
    for (let i = 1; i < 8; i++) expect(waits(`address ${i}`, 10 * i, 4)).not.toContain('busy');
    expect(waits('one more', 100, 1)).toEqual(['busy']);
  });

  it('that was right is not forgotten for a hundred that are wrong', async () => {
    passwords = new PasswordChecker();
    expect(await passwords.check(USERS, 'noc', 'right-password', 'a')).toBe('right');
    for (let i = 0; i < 120; i++) expect(await passwords.check(USERS, 'noc', `wrong ${i}`, 'b')).toBe('wrong');
    expect(passwords.check(USERS, 'noc', 'right-password', 'a')).toBe('right');
  });

  it('that waits when the server stops is not answered with yes or no', async () => {
    passwords = new PasswordChecker();
    const answers = ['x', 'y'].map((password) => passwords.check(ENDLESS, 'slow', password, 'a'));
    await passwords.close();
    expect(await Promise.all(answers)).toEqual(['busy', 'busy']);
  });

  it('is compared beside the event loop: a comparison of minutes does not hold it up', async () => {
    passwords = new PasswordChecker();
    const answer = passwords.check(ENDLESS, 'slow', 'x', 'a');
    expect(await Promise.race([answer, new Promise((resolve) => setImmediate(resolve, 'the loop turns'))])).toBe(
      'the loop turns',
    );
  });
});
