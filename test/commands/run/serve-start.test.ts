/** The first line of the log. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { serveCommand } from '../../../src/commands/run/serve.ts';
import { runCommand } from '../command-world.ts';

it.each([
  ['[ris-live]', 'sources=ris-live sessions=1'],
  ['[bgproutes]', 'sources=bgproutes sessions=2'],
  ['[bgproutes, ris-live]', 'sources=bgproutes,ris-live sessions=3'],
])('a start from %s tells its sources and how many connections it will have', async (sources, said) => {
  const folder = mkdtempSync(join(tmpdir(), 'serve-start-'));
  const file = join(folder, 'exporter.yml');
  writeFileSync(
    file,
    `prefixes: [{prefix: 192.0.2.0/24}, {prefix: 198.51.100.0/24}]
sources: ${sources}
${sources.includes('bgproutes') ? 'bgproutes: {api_keys: [KEY-0123456789, KEY-9876543210], websocket_url: "ws://127.0.0.1:1", live_manager_url: "http://127.0.0.1:1", data_api_url: "http://127.0.0.1:1"}' : ''}
ris_live: {url: "ws://127.0.0.1:1/", ripestat_url: "http://127.0.0.1:1"}
web: {listen_address: "127.0.0.1:0"}
`,
  );
  try {
    const run = runCommand(serveCommand, [`--config.file=${file}`]);
    await run.noted('could not be opened');
    expect(await run.stop()).toBe(0);
    expect(run.stderr.lines[0]).toMatch(new RegExp(`msg="bgproutes-exporter starts" .* prefixes=2 ${said}$`));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
