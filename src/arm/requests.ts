import type { FastifyRequest } from 'fastify';
import { LONGEST_NAME, problemOfText } from '../domain/plain-text.ts';
import { ArmError } from './errors.ts';

/** The first Compute API version that knows automatic OS upgrades. */
const OLDEST_API_VERSION = '2018-10-01';

/**
 * A query parameter, its name compared without regard to case; of one that is given twice, the first.
 * @returns undefined when it is absent
 */
export function queryValue(request: FastifyRequest, name: string): string | undefined {
  const query = request.query as Record<string, string | string[]>;
  const key = Object.keys(query).find((candidate) => candidate.toLowerCase() === name.toLowerCase());
  const value = key === undefined ? undefined : query[key];
  return Array.isArray(value) ? value[0] : value;
}

/**
 * Checks the API version, which ARM wants on every request. Clients send many: any date from 2018-10-01 on will do.
 * @throws ArmError
 */
export function requireApiVersion(request: FastifyRequest): void {
  const version = queryValue(request, 'api-version');
  if (version === undefined || version === '') {
    throw new ArmError(
      400,
      'MissingApiVersionParameter',
      'The api-version query parameter (?api-version=) is required for all requests.',
    );
  }
  const date = /^(\d{4}-\d{2}-\d{2})(-preview)?$/i.exec(version)?.[1];
  // Dates of this form stand in the order of their text.
  if (date === undefined || Number.isNaN(Date.parse(date)) || date < OLDEST_API_VERSION) {
    throw new ArmError(
      400,
      'NoRegisteredProviderFound',
      `API version '${version}' is not supported: give a date from ${OLDEST_API_VERSION} on, such as 2024-11-01.`,
    );
  }
}

/** Names in an address are looked up, logged and told: none of them may act on what reads them. @throws ArmError */
export function requirePlainAddress(request: FastifyRequest): void {
  for (const [name, value] of Object.entries(request.params as Record<string, string>)) {
    const problem = problemOfText(value, LONGEST_NAME);
    if (problem !== null)
      throw new ArmError(400, 'InvalidParameter', `The ${name} in the address ${problem}.`);
  }
}
