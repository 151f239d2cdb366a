import { lookup } from 'node:dns';
import * as http from 'node:http';
import * as https from 'node:https';
import type { LookupFunction } from 'node:net';
import { hostOf, isRefusedAddress } from './sink-url.ts';

/** What is told of a response. Its body is nobody's business. */
export interface Response {
  status: number;
  retryAfter: string | undefined;
}

/**
 * Sends a body and waits for the beginning of the answer. Each call has a connection of its own; redirects are answers like any other.
 * @throws Error when there is no answer: nobody listens, a certificate is wrong, the address is refused, `signal` says stop
 */
export function post(
  url: string,
  headers: Record<string, string>,
  body: string,
  signal: AbortSignal,
): Promise<Response> {
  const target = new URL(url);
  const request: typeof http.request = target.protocol === 'https:' ? https.request : http.request;
  return new Promise((resolve, reject) => {
    if (isRefusedAddress(hostOf(target))) throw refused(hostOf(target));
    const length = { 'content-length': String(Buffer.byteLength(body)) };
    const options = { method: 'POST', headers: { ...headers, ...length }, agent: false, signal };
    const sent = request(target, { ...options, lookup: guardedLookup }, (response) => {
      const { statusCode = 0, headers: answered } = response;
      resolve({ status: statusCode, retryAfter: answered['retry-after'] });
      // Whatever it goes on to say, and for however long.
      response.destroy();
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Looks at what a name stands for when it is connected to, not before: that may change in between. */
const guardedLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, options, (error, found, family) => {
    const addresses = typeof found === 'string' ? [found] : (found ?? []).map(({ address }) => address);
    const bad = addresses.find(isRefusedAddress);
    if (error === null && bad !== undefined) callback(refused(`${hostname} (${bad})`), '');
    else callback(error, found, family);
  });
};

function refused(where: string): Error {
  return new Error(`${where} is an address of the cloud's own, to which nothing is sent.`);
}
