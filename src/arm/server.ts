import { randomUUID } from 'node:crypto';
import Fastify, { LogController } from 'fastify';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Fleet } from '../fleet/port.ts';
import type { Attempts } from '../ledger/port.ts';
import { answerErrorsInArmShape, armErrorBody, toArmError } from './errors.ts';
import { serveHealth, type Probes } from '../telemetry/health.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { serveMetrics } from '../telemetry/server.ts';
import { serveImageVersions } from './images.ts';
import { requireApiVersion, requirePlainAddress } from './requests.ts';
import { serveScaleSets } from './scale-sets.ts';

export interface ApiParts {
  readonly fleet: Pick<Fleet, 'clock' | 'regions' | 'scaleSet' | 'imageOffers'>;
  readonly ledger: { readonly attempts: Pick<Attempts, 'listOf' | 'instances'> };
  /** What must answer for the API to be ready, by the part's name. */
  readonly probes: Probes;
  readonly metrics: Metrics;
  readonly log: FastifyBaseLogger;
}

/** Above any name that ARM allows, and well above the router's own limit of 100. */
const MAX_PARAM_LENGTH = 300;

/**
 * The control plane's place: whether it is alive and ready, and what the stores can tell of upgrades so far, in ARM's
 * shapes. Everything else is answered by an ARM error that says so. Nobody is asked who they are: bind it to loopback.
 */
export function createApiServer({ fleet, ledger, probes, metrics, log }: ApiParts): FastifyInstance {
  const server = Fastify({
    loggerInstance: log,
    logController: new OneLinePerRequest(),
    genReqId: () => randomUUID(),
    // Clients write `resourcegroups`, double slashes and trailing ones; ARM takes all of them.
    routerOptions: {
      caseSensitive: false,
      ignoreTrailingSlash: true,
      ignoreDuplicateSlashes: true,
      maxParamLength: MAX_PARAM_LENGTH,
    },
    frameworkErrors: (error, _request, reply) => answerUnreadable(error, reply as FastifyReply),
  });
  server.addHook('onRequest', async (request, reply) => nameRequest(request, reply));
  answerErrorsInArmShape(server);
  serveHealth(server, probes);
  serveMetrics(server, metrics);
  server.register(async (arm) => {
    arm.addHook('onRequest', async (request) => requireApiVersion(request));
    arm.addHook('preValidation', async (request) => requirePlainAddress(request));
    serveScaleSets(arm, { fleet, attempts: ledger.attempts });
    serveImageVersions(arm, fleet);
  });
  return server;
}

/** What never becomes a request of a route, such as an address that can't be decoded. */
function answerUnreadable(error: Error, reply: FastifyReply): void {
  const { statusCode, code, message } = toArmError(error);
  void reply.code(statusCode).send(armErrorBody(code, message));
}

/** ARM's names of a request, by which a client's support and our log find the same one. */
function nameRequest(request: FastifyRequest, reply: FastifyReply): void {
  const { 'x-ms-correlation-request-id': correlation, 'x-ms-client-request-id': client } = request.headers;
  reply.header('x-ms-request-id', request.id);
  reply.header('x-ms-correlation-request-id', correlation ?? request.id);
  if (client !== undefined) reply.header('x-ms-client-request-id', client);
}

const PROBED = new Set(['/healthz', '/readyz', '/metrics']);

/** One line when a request is done says what two do; those of an orchestrator's probes would bury all others. */
class OneLinePerRequest extends LogController {
  override incomingRequest(): void {}

  override routeNotFound(): void {}

  override requestCompleted(
    error: Error | null | undefined,
    request: FastifyRequest,
    reply: FastifyReply,
  ): void {
    const isProbe = PROBED.has(request.routeOptions.url ?? '');
    const level = error || reply.statusCode >= 500 ? 'warn' : isProbe ? 'debug' : 'info';
    // Without the query: whoever mistakes the address may have a token in it.
    const path = request.url.split('?', 1)[0];
    const line = { method: request.method, url: path, status: reply.statusCode };
    request.log[level]({ ...line, ms: Math.round(reply.elapsedTime) }, 'request');
  }
}
