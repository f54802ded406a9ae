/**
 * Metrics of one's own, in one's own prom-client registry: how many vantage points see a prefix from which origin.
 *
 *   BGP_API_KEY=… PORT=9000 npx tsx examples/own-registry.ts 192.23.62.0/24 2a06:3040:10::/48
 *
 * What vantage points hold already is read from the Data API; SIMULATOR=127.0.0.1:8479 runs it against
 * `bgproutes-exporter simulate --data-api-lag=0` (whose key is `sim-key`).
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  BgproutesLiveClient,
  type ClientEvent,
  LIVE_SOURCES,
  type LiveMessage,
  parseAsPath,
  pathFacts,
  type VantagePoint,
  vantagePointKey,
} from 'bgproutes-exporter';
import { Counter, Gauge, Registry } from 'prom-client';

const { BGP_API_KEY = '', SIMULATOR, PORT = '9000' } = process.env;
const prefixes = process.argv.length > 2 ? process.argv.slice(2) : ['192.23.62.0/24', '2a06:3040:10::/48'];

const registry = new Registry();
const visible = new Gauge({
  name: 'my_prefix_origin_vps',
  help: 'Vantage points that see the prefix, by origin.',
  labelNames: ['prefix', 'origin_as'],
  registers: [registry],
});
const messages = new Counter({
  name: 'my_bgp_messages_total',
  help: 'Messages of the live stream.',
  labelNames: ['type'],
  registers: [registry],
});
const up = new Gauge({ name: 'my_stream_up', help: '1 while the stream is connected.', registers: [registry] });

/** The origin that each vantage point sees, with the time of the word for it. */
const origins = new Map<string, { origin: number | string | undefined; timestampUs: number }>();

function hold(vp: VantagePoint, prefix: string, origin: number | string | undefined, timestampUs: number): void {
  const key = `${vantagePointKey(vp)} ${prefix}`;
  const before = origins.get(key);
  if (before !== undefined && before.timestampUs > timestampUs) return; // the stream knows something newer
  origins.set(key, { origin, timestampUs });
  if (before?.origin === origin) return;
  if (before?.origin !== undefined) visible.dec({ prefix, origin_as: before.origin });
  if (origin !== undefined) visible.inc({ prefix, origin_as: origin });
}

function apply(item: LiveMessage | ClientEvent): void {
  if (item.type === 'connected' || item.type === 'disconnected') up.set(item.type === 'connected' ? 1 : 0);
  if (item.type !== 'announcement' && item.type !== 'withdrawal') return;
  messages.inc({ type: item.type });
  const origin = item.type === 'announcement' ? item.origin : undefined;
  for (const prefix of item.prefixes) hold(item.vp, prefix, origin, item.timestampUs);
}

const client = new BgproutesLiveClient({
  apiKey: BGP_API_KEY,
  ...(SIMULATOR && {
    websocketUrl: `ws://${SIMULATOR}`,
    liveManagerUrl: `http://${SIMULATOR}`,
    dataApiUrl: `http://${SIMULATOR}`,
  }),
});
await client.subscribe(prefixes);

const server = createServer(async (_, response) => {
  response.setHeader('content-type', registry.contentType);
  response.end(await registry.metrics());
});
server.listen(Number(PORT), () => {
  const { port } = server.address() as AddressInfo;
  console.log(`Metrics on http://localhost:${port}/`);
});

/** The Data API lags behind the stream by 1 to 2 minutes. */
const LAG_MS = SIMULATOR === undefined ? 3 * 60_000 : 0;

/** The table to start from, of a moment when the stream was on already: so nothing falls between the two. */
async function readTable(connectedAtMs: number): Promise<void> {
  const dateMs = Math.ceil(connectedAtMs / 1000) * 1000;
  await new Promise((resolve) => setTimeout(resolve, dateMs + LAG_MS - Date.now()));
  const { vantagePoints } = await client.dataApi.vantagePoints({ sources: LIVE_SOURCES, statuses: ['up'] });
  for await (const { rows } of client.dataApi.rib({ vps: vantagePoints, prefixes, dateMs })) {
    for (const { vp, prefix, asPath } of rows) {
      const { origin } = pathFacts(parseAsPath(asPath) ?? [], vp.asn);
      hold(vp, prefix, origin, dateMs * 1000);
    }
  }
  console.log('The table is complete');
}

let isReading = false;
for await (const item of client.messages({ events: true })) {
  apply(item);
  if (item.type === 'connected' && !isReading) {
    isReading = true;
    readTable(item.atMs).catch((error: unknown) => console.error('The table could not be read:', error));
  }
}
