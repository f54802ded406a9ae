/** Who has a place among the open pages, where connections end at awkward moments. */
import { createServer, get, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { EventHub } from '../../../src/outputs/page/event-hub.ts';
import type { PageFacts } from '../../../src/outputs/page/page-facts.ts';

const noPrefix = { prefixes: () => [], status: () => ({}) } as unknown as PageFacts;
const OVERVIEW = { kind: 'overview' } as const;

/** Answers one request by `answer`, over a real socket. */
async function answered(answer: (response: ServerResponse, leave: () => void) => Promise<void>): Promise<void> {
  let leave = () => {};
  const server = createServer();
  const done = new Promise<void>((resolve, reject) => {
    server.on('request', (_, response) => {
      answer(response, () => leave()).then(resolve, reject);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const request = get({ port: (server.address() as AddressInfo).port, agent: false }, (response) => {
    response.on('error', () => {}).resume();
  });
  request.on('error', () => {});
  leave = () => request.destroy();
  try {
    await done;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('a hub of events', () => {
  it('gives no place to a page that left before its turn came', () =>
    answered(async (response, leave) => {
      const closed = new Promise((resolve) => response.once('close', resolve));
      leave();
      await closed;
      const hub = new EventHub(noPrefix, () => 0);
      hub.add(response, '192.0.2.1', OVERVIEW);
      expect(hub.clients).toBe(0);
    }));

  it('says nothing more after its end', () =>
    answered(async (response) => {
      const hub = new EventHub(noPrefix, () => 0);
      response.writeHead(200);
      hub.add(response, '192.0.2.1', OVERVIEW);
      const errors: unknown[] = [];
      response.on('error', (error) => errors.push(error));
      hub.close();
      hub.publish();
      await new Promise((resolve) => response.once('close', resolve));
      expect(errors).toEqual([]);
      expect(hub.clients).toBe(0);
    }));
});
