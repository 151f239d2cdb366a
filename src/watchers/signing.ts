import { createHmac, type KeyObject } from 'node:crypto';

/**
 * The headers by which a receiver knows who sent this and when, as Standard Webhooks has them.
 * @param secrets each of them signs, so that a receiver may have any
 * @param sentAt milliseconds, by the clock on the wall
 */
export function signedHeaders(
  id: string,
  body: string,
  secrets: readonly KeyObject[],
  sentAt: number,
): Record<string, string> {
  const timestamp = String(Math.floor(sentAt / 1000));
  const signatures = secrets.map((secret) => {
    const hmac = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`);
    return `v1,${hmac.digest('base64')}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}
