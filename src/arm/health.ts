import type { FastifyInstance } from 'fastify';

/** Rejects when the part does not answer. */
export type Probe = () => Promise<unknown>;

/** A probe of a host that drops packets would wait for minutes; whoever asks has less patience than that. */
const PROBE_TIMEOUT_MS = 2_000;

/**
 * `/healthz`: the process lives. `/readyz`: all that it needs answers; otherwise 503, with what each part says.
 * @param probes by the part's name
 */
export function serveHealth(server: FastifyInstance, probes: Readonly<Record<string, Probe>>): void {
  server.get('/healthz', () => ({ status: 'ok' }));
  server.get('/readyz', async (_request, reply) => {
    const parts = await Promise.all(
      Object.entries(probes).map(async ([part, probe]) => ({ part, problem: await problemOf(probe) })),
    );
    const ready = parts.every(({ problem }) => problem === null);
    const checks = Object.fromEntries(parts.map(({ part, problem }) => [part, problem ?? 'ok']));
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready', checks });
  });
}

async function problemOf(probe: Probe): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer within ${PROBE_TIMEOUT_MS / 1000} s`), PROBE_TIMEOUT_MS);
  });
  const answer = probe().then(
    () => null,
    // A connection refused on both of a host's addresses is an AggregateError, whose own message is empty.
    (error: unknown) => (error instanceof Error && error.message) || String(error),
  );
  return Promise.race([answer, tooLate]).finally(() => clearTimeout(timer));
}
