import type { FastifyInstance } from 'fastify';

/** Rejects when the part does not answer. */
export type Probe = () => Promise<unknown>;

/** What must answer for a process to be ready, by the part's name. */
export type Probes = Readonly<Record<string, Probe>>;

/** A probe of a host that drops packets would wait for minutes; whoever asks has less patience than that. */
const PROBE_TIMEOUT_MS = 2_000;

/** `/healthz`: the process lives. `/readyz`: all that it needs answers; otherwise 503, with what each part says. */
export function serveHealth(server: FastifyInstance, probes: Probes): void {
  server.get('/healthz', () => ({ status: 'ok' }));
  server.get('/readyz', async (_request, reply) => {
    const problems = await askAll(probes);
    const ready = Object.values(problems).every((problem) => problem === null);
    const checks = Object.fromEntries(
      Object.entries(problems).map(([part, problem]) => [part, problem ?? 'ok']),
    );
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready', checks });
  });
}

/** What is the matter with each part; null, if it answers. */
export async function askAll(probes: Probes): Promise<Record<string, string | null>> {
  const answers = Object.entries(probes).map(
    async ([part, probe]) => [part, await problemOf(probe)] as const,
  );
  return Object.fromEntries(await Promise.all(answers));
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
