import type { Transaction } from 'kysely';
import type { Tables } from '../database/tables.ts';
import type { Json } from '../database/tables-ledger.ts';

/** What a write works with: never the database itself, which on SQLite would wait for the transaction for ever. */
export type Tx = Transaction<Tables>;

/** Rows in one insert: SQLite takes at most 32,766 parameters a statement. */
const ROWS_PER_INSERT = 500;

/** Ids are compared in lower case and kept as they were written. */
export function keyOf(id: string): string {
  return id.toLowerCase();
}

export function toJson<T>(value: T): Json<T> {
  return JSON.stringify(value);
}

export function fromJson<T>(text: Json<T>): T {
  return JSON.parse(text) as T;
}

/** For columns that are null rather than the JSON text `null`, so that SQL can ask for them. */
export function toJsonOrNull<T>(value: T | null): Json<T> | null {
  return value === null ? null : toJson(value);
}

export function fromJsonOrNull<T>(text: Json<T> | null): T | null {
  return text === null ? null : fromJson(text);
}

/** The same rows, in parts that one insert can take. */
export function inChunks<T>(rows: readonly T[]): T[][] {
  const chunks: T[][] = [];
  for (let i = 0; i < rows.length; i += ROWS_PER_INSERT) chunks.push(rows.slice(i, i + ROWS_PER_INSERT));
  return chunks;
}

/** The same items in groups of equal keys, in the order in which each key first came. */
export function groupBy<T>(items: readonly T[], key: (item: T) => string | number): [T, ...T[]][] {
  const groups = new Map<string | number, [T, ...T[]]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return [...groups.values()];
}
