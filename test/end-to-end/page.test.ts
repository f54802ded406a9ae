/** The page for people, against a simulator: what it says when the stream goes, and when strangers announce. */
import { expect, it, vi } from 'vitest';
import { P4, world } from './world.ts';

it('shows old counts as old, with the words of the service, until the stream is back', async () => {
  const made = await world({ prefixes: `[{prefix: ${P4}, upstreams: [64999]}]` });
  const { simulator } = made;
  const exporter = await made.start();
  const page = async (): Promise<string> => (await fetch(`http://${exporter.address}/`)).text();
  const shows = (text: RegExp) =>
    vi.waitFor(async () => expect(await page()).toMatch(text), { timeout: 15_000, interval: 50 });
  await shows(/<span class="good">100 %<\/span>/);
  await shows(/<div>yes<\/div>/);
  expect(await page()).toMatch(/upstream AS\d+ \(\d+\)/);

  const [vp] = simulator.vantagePoints().filter(({ isLive }) => isLive);
  simulator.announce(vp.key, '192.23.62.128/25', { asPath: '3333 64666' });
  await shows(/<span class="bad">192\.23\.62\.128\/25 \(1\)<\/span>/);

  simulator.faults.refuse(1_000, 'Another client is already connected with this API key');
  simulator.faults.cut();
  await shows(
    /Session 0 of bgproutes has been down for \d+ s: the service refuses the stream: Another client is already connected/,
  );
  const old = await page();
  expect(old).toContain('<span class="dim">100 %, old</span>');
  expect(old).not.toMatch(/class="good">\d+ %/);
  simulator.faults.clear();
  await shows(/<span class="good">100 %<\/span>/);
  expect(await page()).not.toContain('has been down');
});
