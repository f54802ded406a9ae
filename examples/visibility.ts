/**
 * Prints a line whenever a vantage point loses a prefix, or sees it again, with the count of those that see it.
 *
 *   BGP_API_KEY=… npx tsx examples/visibility.ts 192.23.62.0/24 2a06:3040:10::/48
 *
 * SIMULATOR=127.0.0.1:8479 runs it against `bgproutes-exporter simulate` (whose key is `sim-key`).
 */
import { BgproutesLiveClient, vantagePointKey } from 'bgproutes-exporter';

const { BGP_API_KEY = '', SIMULATOR } = process.env;
const prefixes = process.argv.length > 2 ? process.argv.slice(2) : ['192.23.62.0/24', '2a06:3040:10::/48'];

const client = new BgproutesLiveClient({
  apiKey: BGP_API_KEY,
  ...(SIMULATOR && { websocketUrl: `ws://${SIMULATOR}`, liveManagerUrl: `http://${SIMULATOR}` }),
});
await client.subscribe(prefixes);

// A reader that has enough (`| head`) ends the program.
process.stdout.on('error', () => process.exit(0));

/** Vantage points that see a prefix, and those that did. */
const seen = new Map<string, { now: Set<string>; ever: Set<string> }>();
for await (const message of client.messages({ events: true })) {
  if (message.type === 'disconnected') console.error('Disconnected: what happens now is not seen.');
  if (message.type !== 'announcement' && message.type !== 'withdrawal') continue;
  const vp = vantagePointKey(message.vp);
  for (const prefix of message.prefixes) {
    const { now, ever } = seen.get(prefix) ?? { now: new Set<string>(), ever: new Set<string>() };
    seen.set(prefix, { now, ever });
    if (message.type === 'announcement') {
      const isBack = ever.has(vp) && !now.has(vp);
      now.add(vp);
      ever.add(vp);
      if (isBack) console.log(`Visibility regained for ${prefix} at ${vp}; ${now.size} of ${ever.size} see it`);
    } else if (now.delete(vp)) {
      console.log(`Visibility lost for ${prefix} at ${vp}; ${now.size} of ${ever.size} see it`);
    }
  }
}
