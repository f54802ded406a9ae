/**
 * Prints a line whenever a vantage point sees a prefix with another origin than before.
 *
 *   BGP_API_KEY=… npx tsx examples/origin-changes.ts 192.23.62.0/24 2a06:3040:10::/48
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

const origins = new Map<string, number | string>();
for await (const message of client.messages()) {
  if (message.type !== 'announcement') continue;
  for (const prefix of message.prefixes) {
    const key = `${vantagePointKey(message.vp)} ${prefix}`;
    const before = origins.get(key);
    // What a vantage point is heard to say first is no change.
    if (before !== undefined && before !== message.origin)
      console.log(`Origin change! ${prefix}: ${before} -> ${message.origin}`);
    origins.set(key, message.origin);
  }
}
