import { setTimeout as delay } from 'node:timers/promises';
import { isGrpcServiceError, type Connection } from '@temporalio/client';
import { TypedSearchAttributes, type SearchAttributeType } from '@temporalio/common';
import { searchAttributeDefinitions, type SearchAttributeDefinition } from './search-attributes.ts';

/** A server has an attribute of that name already, of another type. Only its operator can resolve that. */
export class SearchAttributeConflictError extends Error {
  override readonly name = 'SearchAttributeConflictError';
}

type Registrar = Pick<Connection, 'operatorService'>;

/** Temporal's `IndexedValueType` by its name: the SDK does not export the enumeration. */
const INDEXED_VALUE_TYPES: Record<SearchAttributeType, number> = {
  TEXT: 1,
  KEYWORD: 2,
  INT: 3,
  DOUBLE: 4,
  BOOL: 5,
  DATETIME: 6,
  KEYWORD_LIST: 7,
};

const GRPC_ALREADY_EXISTS = 6;
const VISIBLE_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 200;

/**
 * Registers the rollouts' search attributes where they are missing and returns once the server lists them all.
 * Doing it again, or from several processes at once, is harmless.
 * @throws SearchAttributeConflictError when one is there with another type
 */
export async function registerSearchAttributes(
  connection: Registrar,
  namespace: string,
  definitions = searchAttributeDefinitions,
): Promise<void> {
  const missing = await findMissing(connection, namespace, definitions);
  if (missing.length === 0) return;
  await addSearchAttributes(connection, namespace, missing);
  const deadline = Date.now() + VISIBLE_WITHIN_MS;
  while ((await findMissing(connection, namespace, definitions)).length > 0) {
    if (Date.now() > deadline) {
      const names = missing.map(({ name }) => name).join(', ');
      throw new Error(
        `namespace ${namespace} does not list ${names} ${VISIBLE_WITHIN_MS / 1000} s after adding them`,
      );
    }
    await delay(LOOK_EVERY_MS);
  }
}

/** Adds the attributes and takes "already exists" for done: of two processes that add at once, one is told so. */
export async function addSearchAttributes(
  connection: Registrar,
  namespace: string,
  definitions = searchAttributeDefinitions,
): Promise<void> {
  const types = definitions.map(({ name, type }) => [name, INDEXED_VALUE_TYPES[type]]);
  try {
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(types),
    });
  } catch (error) {
    const code: number | undefined = isGrpcServiceError(error) ? error.code : undefined;
    if (code !== GRPC_ALREADY_EXISTS) throw error;
  }
}

/** The flags by which `temporal server start-dev` registers the attributes before it serves. */
export function searchAttributeFlags(definitions = searchAttributeDefinitions): string[] {
  return definitions.flatMap(({ name, type }) => [
    '--search-attribute',
    `${name}=${TypedSearchAttributes.toMetadataType(type)}`,
  ]);
}

async function findMissing(
  connection: Registrar,
  namespace: string,
  definitions: readonly SearchAttributeDefinition[],
): Promise<SearchAttributeDefinition[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  for (const { name, type } of definitions) {
    const present: number | undefined = customAttributes[name];
    if (present !== undefined && present !== INDEXED_VALUE_TYPES[type]) {
      throw new SearchAttributeConflictError(
        `search attribute ${name} of namespace ${namespace} is not of type ${TypedSearchAttributes.toMetadataType(type)}`,
      );
    }
  }
  return definitions.filter(({ name }) => customAttributes[name] === undefined);
}
