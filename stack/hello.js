// Prints where a newcomer goes first, once everything is up.
import { lookup } from 'node:dns/promises';

const port = (name, standard) => process.env[name] || standard;
const exporter = await lookup('exporter').then(
  () => true,
  () => false,
);
if (!exporter) {
  console.log(`
No exporter is here yet. Say which: docker compose --profile demo up, or live, ris, otlp or fleet (docs/deploy.md).
`);
}
console.log(`
Open first:  http://localhost:${port('GRAFANA_PORT', 3000)}/d/bgproutes-overview   the prefixes (no login needed to look)

             http://localhost:${port('PROMETHEUS_PORT', 9090)}/alerts                the alerts and their rules
             http://localhost:${port('ALERTMANAGER_PORT', 9093)}                       what was sent to whom
             http://localhost:${port('EXPORTER_PORT', 10479)}/metrics              the numbers themselves
`);
