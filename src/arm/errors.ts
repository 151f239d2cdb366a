import type { FastifyInstance } from 'fastify';

/** An answer that is no success, in ARM's words. What throws it decides the status; the handler below does the rest. */
export class ArmError extends Error {
  override readonly name = 'ArmError';
  readonly statusCode: number;
  readonly code: string;

  constructor(statusCode: number, code: string, message: string) {
    super(message);
    this.statusCode = statusCode;
    this.code = code;
  }
}

/** The body by which every ARM client recognises an error. */
export function armErrorBody(code: string, message: string): { error: { code: string; message: string } } {
  return { error: { code, message } };
}

/** Answers everything that fails, and everything that is not served, in ARM's shape. */
export function answerErrorsInArmShape(server: FastifyInstance): void {
  server.setErrorHandler((error: unknown, request, reply) => {
    const { statusCode, code, message } = toArmError(error);
    // A client's mistake is its own to read; a fault of ours is written down, and its words stay here.
    if (statusCode >= 500) request.log.error({ err: error }, 'request failed');
    return reply.code(statusCode).send(armErrorBody(code, message));
  });
  server.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0];
    const message =
      `No operation is served at ${request.method} ${path}. The control plane API is not served yet, except for ` +
      'the OS upgrade history and the latest rolling upgrade of a scale set, and the versions of a platform image.';
    return reply.code(404).send(armErrorBody('NotFound', message));
  });
}

/** What the framework itself refuses (an unreadable address, say) is a bad request; anything else is a fault. */
export function toArmError(error: unknown): ArmError {
  if (error instanceof ArmError) return error;
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  if (error instanceof Error && status >= 400 && status < 500) {
    return new ArmError(status, 'BadRequest', error.message);
  }
  return new ArmError(500, 'InternalServerError', 'The request failed. The log of the server says why.');
}
