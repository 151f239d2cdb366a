import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { InvalidArgumentError } from 'commander';

/** The value of a command's option. @throws InvalidArgumentError */
export function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('A port is a number from 0 to 65535.');
}

/** Whether a server could listen there now. */
export async function isFree(port: number, host: string): Promise<boolean> {
  return listenBriefly(port, host).then(
    () => true,
    () => false,
  );
}

/** A port that is free now, chosen by the operating system. Someone else may take it before its user does. */
export function freePort(host: string): Promise<number> {
  return listenBriefly(0, host);
}

function listenBriefly(port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host, exclusive: true }, () => {
      const { port: bound } = server.address() as AddressInfo;
      server.close(() => resolve(bound));
    });
  });
}
