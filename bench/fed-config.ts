/** The configuration of an exporter that listens to the feeder. */
import { prefixTexts } from './messages.ts';

/**
 * @param prefixes how many of those that the feeder's stream has
 * @param port of the feeder, on this machine
 * @param webConfig path of a file for `web.config_file`; empty: none
 */
export function fedConfig(prefixes: number, port: number, webConfig = ''): string {
  const http = `http://127.0.0.1:${port}`;
  return JSON.stringify({
    prefixes: prefixTexts(prefixes).map((prefix) => ({ prefix })),
    bgproutes: {
      ...{ api_keys: ['bench-key'], prefixes_per_key: prefixes },
      ...{ websocket_url: `ws://127.0.0.1:${port}`, live_manager_url: http, data_api_url: http },
    },
    table: { seed: false },
    web: { listen_address: '127.0.0.1:0', config_file: webConfig },
  }); // JSON is YAML
}
