import { lookup as systemLookup } from 'node:dns';
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
 * @param lookup finds the addresses of a name; the system's if absent
 * @throws Error when there is no answer: nobody listens, a certificate is wrong, the address is refused, `signal` says stop
 */
export function post(
  url: string,
  headers: Record<string, string>,
  body: string,
  signal: AbortSignal,
  lookup: LookupFunction = systemLookup,
): Promise<Response> {
  const target = new URL(url);
  const request: typeof http.request = target.protocol === 'https:' ? https.request : http.request;
  return new Promise((resolve, reject) => {
    if (isRefusedAddress(hostOf(target))) throw refused(hostOf(target));
    const length = { 'content-length': String(Buffer.byteLength(body)) };
    const options = { method: 'POST', headers: { ...headers, ...length }, agent: false, signal };
    const sent = request(target, { ...options, lookup: guarded(lookup) }, (response) => {
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
function guarded(lookup: LookupFunction): LookupFunction {
  return (hostname, options, callback) =>
    lookup(hostname, options, (error, found, family) => {
      // Of a name that stands for nothing there is an error and no address, whatever the type says.
      const addresses = [found ?? []].flat().map((one) => (typeof one === 'string' ? one : one.address));
      const bad = addresses.find(isRefusedAddress);
      if (bad === undefined) callback(error, found, family);
      else callback(refused(`${hostname} (${bad})`), '');
    });
}

function refused(where: string): Error {
  return new Error(`${where} is an address of the cloud's own, to which nothing is sent.`);
}
