/**
 * The whole exporter inside a fastify server that is there already.
 *
 *   BGP_API_KEY=… PORT=3000 npx tsx examples/embed-in-fastify.ts 192.23.62.0/24 2a06:3040:10::/48
 *
 * SIMULATOR=127.0.0.1:8479 runs it against `bgproutes-exporter simulate` (whose key is `sim-key`).
 */
import { embedExporter, loadConfig } from 'bgproutes-exporter';
import Fastify from 'fastify';

const { SIMULATOR, PORT = '3000' } = process.env;
const prefixes = process.argv.length > 2 ? process.argv.slice(2) : ['192.23.62.0/24', '2a06:3040:10::/48'];

const exporter = await embedExporter(
  loadConfig({
    env: process.env,
    flags: {
      prefix: prefixes,
      'log.level': 'warn',
      ...(SIMULATOR && {
        'bgproutes.websocket-url': `ws://${SIMULATOR}`,
        'bgproutes.live-manager-url': `http://${SIMULATOR}`,
        'bgproutes.data-api-url': `http://${SIMULATOR}`,
      }),
    },
  }),
);

const app = Fastify();
app.get('/hello', async () => 'The server that was there already');
app.get('/metrics', async (request, reply) => {
  const { contentType, body } = await exporter.metrics(request.headers.accept);
  return reply.type(contentType).send(body);
});
app.get('/prefixes', async () => ({ seeded: exporter.seeded, prefixes: exporter.prefixes() }));
app.get('/ready', async (_, reply) => {
  const ready = exporter.ready();
  return reply.code(ready.ok ? 200 : 503).send(ready);
});
app.addHook('onClose', () => exporter.stop());

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close());
console.log('Listening on', await app.listen({ port: Number(PORT) }));
