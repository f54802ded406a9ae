/** A process that has so many pages open as it is told to: it reads their events and does nothing else with them. */
import { type ClientRequest, get } from 'node:http';

export interface PagesWanted {
  /** Paths of streams of events, one a page; those that were open are closed. */
  readonly urls: readonly string[];
}

export interface PagesRead {
  /** Bytes of the streams that were open until now. */
  readonly bytes: number;
  /** How many of them the exporter had ended by itself: those cost nothing any more. */
  readonly ended: number;
}

let bytes = 0;
let ended = 0;
let open: ClientRequest[] = [];

function read(url: string): Promise<ClientRequest> {
  return new Promise((resolve, reject) => {
    // As a browser asks for it.
    const request = get(
      url,
      { agent: false, headers: { 'accept-encoding': 'gzip, deflate, br, zstd' } },
      (response) => {
        if (response.statusCode !== 200) reject(new Error(`a page was answered with status ${response.statusCode}`));
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
        });
        // Also fires for requests that are destroyed here, which are not among the open ones any more.
        response.on('close', () => {
          if (open.includes(request)) ended++;
        });
        response.on('error', () => {});
        resolve(request);
      },
    ).on('error', reject);
  });
}

process.on('message', ({ urls }: PagesWanted) => {
  const done: PagesRead = { bytes, ended };
  for (const request of open.splice(0)) request.destroy();
  [bytes, ended] = [0, 0];
  void Promise.all(urls.map(read)).then((requests) => {
    open = requests;
    process.send?.(done);
  });
});
process.once('disconnect', () => process.exit(0));
