import { timingSafeEqual, createHash } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { z } from 'zod';
import { PayloadDecryptionError } from './encryption-codec.ts';

export interface CodecServerParts {
  readonly codec: PayloadCodec;
  /** The only namespace whose payloads are asked for with these keys. */
  readonly namespace: string;
  /** Where Web UIs are served from, such as `http://localhost:8233`: pages of no other origin are answered. */
  readonly uiOrigins: readonly string[];
  /** Who does not send `Authorization: Bearer <token>` is refused; everyone is answered if absent. */
  readonly token?: string | undefined;
  readonly log: FastifyBaseLogger;
}

/** A page of a history in the Web UI is one request, and an event may have 2 MiB. */
const BODY_LIMIT = 64 * 1024 * 1024;
/** How long a browser need not ask again whether it may. */
const CORS_MAX_AGE_S = 600;

const base64 = z.base64({ error: 'give base64' });
const body = z.object({
  payloads: z.array(
    z.object({ metadata: z.record(z.string(), base64).default({}), data: base64.default('') }),
  ),
});

/** A payload in the JSON form of its protobuf message. */
interface JsonPayload {
  metadata: Record<string, string>;
  data: string;
}

/**
 * Temporal's remote codec: `POST /decode` and `POST /encode`, by which the Web UI and the `temporal` command show what is encrypted. No
 * answer and no log line of an error holds anything of a payload.
 */
export function createCodecServer({
  codec,
  namespace,
  uiOrigins,
  token,
  log,
}: CodecServerParts): FastifyInstance {
  const server = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
  });
  // Only JSON: a form or plain text could be sent from any page without asking first.
  server.removeContentTypeParser('text/plain');
  server.addHook('onRequest', async (request, reply) => {
    const { origin } = request.headers;
    if (origin !== undefined) admitOrigin(origin, uiOrigins, reply);
    if (request.method === 'OPTIONS') return;
    admitCaller(request, { namespace, token });
  });
  server.options('*', async (request, reply) => reply.headers(preflightHeaders(request)).code(204).send());
  server.post('/decode', (request) => convert(request.body, (payloads) => codec.decode(payloads)));
  server.post('/encode', (request) => convert(request.body, (payloads) => codec.encode(payloads)));
  server.get('/healthz', () => ({ status: 'ok' }));
  server.setErrorHandler((error, request, reply) => answerError(error, request, reply));
  server.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ message: 'Only POST /decode and POST /encode are served here.' }),
  );
  return server;
}

/** A refusal, with the words that the caller gets. */
class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/** Also refuses what a browser would send and only hide the answer of: a page under a name that was made to resolve to us, say. */
function admitOrigin(origin: string, uiOrigins: readonly string[], reply: FastifyReply): void {
  if (!uiOrigins.includes(origin)) {
    throw new Refusal(
      403,
      'Pages of this origin are not answered. Name the origin of the Web UI by --ui-origin.',
    );
  }
  reply.header('access-control-allow-origin', origin).header('vary', 'origin');
  reply.header('access-control-allow-credentials', 'true');
}

function admitCaller(
  { headers, url }: FastifyRequest,
  { namespace, token }: Pick<CodecServerParts, 'namespace' | 'token'>,
): void {
  if (url === '/healthz') return;
  if (token !== undefined && !sameText(headers.authorization ?? '', `Bearer ${token}`)) {
    throw new Refusal(401, 'Send the token of this server as "Authorization: Bearer ...".');
  }
  const asked = headers['x-namespace'];
  if (asked !== undefined && asked !== namespace) {
    throw new Refusal(403, `The keys here are of the namespace "${namespace}" and no other.`);
  }
}

/** Hashed, so that neither the length nor the time tells how much was right. */
function sameText(one: string, other: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(one), hash(other));
}

function preflightHeaders({ headers }: FastifyRequest): Record<string, string> {
  return {
    'access-control-allow-methods': 'POST, OPTIONS',
    // The origin was admitted; which headers its page sends depends on the version of the Web UI.
    'access-control-allow-headers':
      headers['access-control-request-headers'] ?? 'authorization, content-type, x-namespace',
    'access-control-max-age': String(CORS_MAX_AGE_S),
  };
}

async function convert(
  given: unknown,
  by: (payloads: Payload[]) => Promise<Payload[]>,
): Promise<{ payloads: JsonPayload[] }> {
  const parsed = body.safeParse(given);
  if (!parsed.success)
    throw new Refusal(400, `This is no list of payloads:\n${z.prettifyError(parsed.error)}`);
  return { payloads: (await by(parsed.data.payloads.map(fromJson))).map(toJson) };
}

function fromJson({ metadata, data }: JsonPayload): Payload {
  const entries = Object.entries(metadata).map(
    ([name, text]) => [name, Buffer.from(text, 'base64')] as const,
  );
  return { metadata: Object.fromEntries(entries), data: Buffer.from(data, 'base64') };
}

function toJson({ metadata, data }: Payload): JsonPayload {
  const text = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString('base64');
  const entries = Object.entries(metadata ?? {}).map(([name, bytes]) => [name, text(bytes)] as const);
  return { metadata: Object.fromEntries(entries), data: text(data) };
}

function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { statusCode, message } = errorAnswer(error);
  request.log.warn(
    { method: request.method, path: request.url.split('?', 1)[0], status: statusCode, message },
    'refused',
  );
  return reply.code(statusCode).send({ message });
}

function errorAnswer(error: unknown): { statusCode: number; message: string } {
  if (error instanceof Refusal) return { statusCode: error.statusCode, message: error.message };
  if (error instanceof PayloadDecryptionError) return { statusCode: 400, message: error.message };
  const statusCode = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  // The words of the JSON parser may quote what it was given.
  return statusCode < 500
    ? { statusCode, message: 'Send JSON: {"payloads": [{"metadata": {...}, "data": "..."}]}.' }
    : { statusCode: 500, message: 'The payloads could not be converted.' };
}
