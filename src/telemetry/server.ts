import Fastify, { type FastifyInstance } from 'fastify';
import { serveHealth, type Probes } from './health.ts';
import type { Metrics } from './metrics.ts';
import type { OperationsAddress } from './settings.ts';

export interface OperationsServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves `/metrics`, `/healthz` and `/readyz`. Nobody is asked who they are, and nothing secret is told.
 * @throws Error that names the setting, when nothing can listen there
 */
export async function serveOperations(
  { host, port }: OperationsAddress,
  probes: Probes,
  metrics: Metrics,
): Promise<OperationsServer> {
  const server = Fastify();
  serveHealth(server, probes);
  serveMetrics(server, metrics);
  try {
    const url = await server.listen({ host, port });
    return { url, close: () => server.close() };
  } catch (error) {
    throw new Error(
      `Nothing can listen on METRICS_HOST ${host}, METRICS_PORT ${port}: ${(error as Error).message}. Give every worker of a machine its own, or 0 for one that is free.`,
      { cause: error },
    );
  }
}

export function serveMetrics(server: FastifyInstance, metrics: Metrics): void {
  server.get('/metrics', async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.render()),
  );
}
