import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a receiver of webhooks got with one call. */
export interface ReceivedCall {
  headers: IncomingHttpHeaders;
  body: string;
}

/** A receiver of webhooks on this machine. */
export interface Sink {
  url: string;
  port: number;
  calls: ReceivedCall[];
  /** The events of all calls, in their order. */
  events(): { id: string; type: string; subject: string; time: string; data: Record<string, unknown> }[];
  close(): Promise<void>;
}

/** Answers a call, or leaves it without an answer. @param number of calls so far, this one included */
export type Answering = (response: ServerResponse, number: number, request: IncomingMessage) => unknown;

const accept: Answering = (response) => response.writeHead(204).end();

/** @param port 0: one that is free */
export async function openSink(answering: Answering = accept, port = 0): Promise<Sink> {
  const calls: ReceivedCall[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      calls.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      answering(response, calls.length, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const { port: listening } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${listening}/hook`,
    port: listening,
    calls,
    events: () => calls.map(({ body }) => JSON.parse(body) as ReturnType<Sink['events']>[number]),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A secret that nobody has guessed, and where a worker finds it. */
export const SECRET = `whsec_${Buffer.from('a test secret of 24 bytes').toString('base64')}`;
export const SECRET_ENV = { WATCHER_SECRET: SECRET };
export const SECRET_REFERENCE = 'env:WATCHER_SECRET';
