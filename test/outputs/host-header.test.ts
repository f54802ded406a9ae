import { expect, it } from 'vitest';
import { hasOneHost } from '../../src/outputs/host-header.ts';

it.each([
  'localhost',
  'a.example:10479',
  '127.0.0.1:80',
  '[::1]',
  '[2001:db8::1]:10479',
  '',
  'x_y-1',
  'xn--bcher-kva.example',
])('a Host may be "%s"', (host) => expect(hasOneHost(['Accept', '*/*', 'Host', host])).toBe(true));

it.each(['a, b', 'a b', 'http://a', 'a/b', 'user@a', 'a:b', '[::1', '::1', 'a?b', 'a#b', '"a"'])(
  'a Host may not be "%s"',
  (host) => expect(hasOneHost(['host', host])).toBe(false),
);

it('there may be one, and HTTP/1.0 needs none', () => {
  expect(hasOneHost(['Host', 'a', 'HOST', 'a'])).toBe(false);
  expect(hasOneHost(['X-Host', 'a', 'Host', 'b', 'Forwarded', 'host=c'])).toBe(true);
  expect(hasOneHost([])).toBe(true);
});
