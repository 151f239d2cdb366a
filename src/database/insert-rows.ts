import { CompiledQuery, PostgresAdapter, type Insertable, type Selectable } from 'kysely';
import type { Queries } from './database.ts';
import type { Tables } from './tables.ts';

/** SQLite takes at most 32,766 parameters a statement, PostgreSQL twice as many. */
const MAX_PARAMETERS = 32_000;

/** What becomes of a row whose key is there already; without it that is an error. */
export interface OnConflict<T extends keyof Tables> {
  key: readonly (keyof Tables[T] & string)[];
  /** Columns that get the new values; none: the row stays as it is. */
  update: readonly (keyof Tables[T] & string)[];
}

/**
 * Inserts any number of rows in few statements, which are written here rather than by the query builder: of many rows that
 * takes as long as to insert them, and this is most of what a rollout writes.
 * @param rows all with the same columns
 */
export async function insertRows<T extends keyof Tables>(
  tx: Queries,
  table: T,
  rows: readonly Insertable<Tables[T]>[],
  onConflict?: OnConflict<T>,
): Promise<void> {
  await insert(tx, table, rows, { onConflict });
}

/** Inserts the rows whose keys are not there yet. @returns those that were inserted */
export async function insertNewRows<T extends keyof Tables>(
  tx: Queries,
  table: T,
  rows: readonly Insertable<Tables[T]>[],
  key: OnConflict<T>['key'],
): Promise<Selectable<Tables[T]>[]> {
  return insert(tx, table, rows, { onConflict: { key, update: [] }, returning: true });
}

async function insert<T extends keyof Tables>(
  tx: Queries,
  table: T,
  rows: readonly Insertable<Tables[T]>[],
  { onConflict, returning = false }: { onConflict?: OnConflict<T> | undefined; returning?: boolean },
): Promise<Selectable<Tables[T]>[]> {
  const [first] = rows as readonly Record<string, unknown>[];
  if (first === undefined) return [];
  const columns = Object.keys(first);
  const numbered = tx.getExecutor().adapter instanceof PostgresAdapter;
  const end = `${conflictClause(onConflict)}${returning ? ' returning *' : ''}`;
  const size = Math.floor(MAX_PARAMETERS / columns.length);
  const inserted: Selectable<Tables[T]>[] = [];
  for (let i = 0; i < rows.length; i += size) {
    const some = rows.slice(i, i + size) as readonly Record<string, unknown>[];
    const places = numbered
      ? numberedPlaces(some.length, columns.length)
      : plainPlaces(some.length, columns.length);
    const text = `insert into "${table}" (${columns.map(quoted).join(', ')}) values ${places}${end}`;
    const values = some.flatMap((row) => columns.map((column) => row[column]));
    const answer = await tx.executeQuery<Selectable<Tables[T]>>(CompiledQuery.raw(text, values));
    inserted.push(...answer.rows);
  }
  return inserted;
}

const quoted = (column: string) => `"${column}"`;

/** `(?, ?), (?, ?)` */
function plainPlaces(rows: number, columns: number): string {
  const row = `(${Array<string>(columns).fill('?').join(', ')})`;
  return Array<string>(rows).fill(row).join(', ');
}

/** `($1, $2), ($3, $4)` */
function numberedPlaces(rows: number, columns: number): string {
  const row = (r: number) => Array.from({ length: columns }, (_, c) => `$${r * columns + c + 1}`).join(', ');
  return Array.from({ length: rows }, (_, r) => `(${row(r)})`).join(', ');
}

function conflictClause<T extends keyof Tables>(onConflict: OnConflict<T> | undefined): string {
  if (onConflict === undefined) return '';
  const { key, update } = onConflict;
  const target = ` on conflict (${key.map(quoted).join(', ')})`;
  if (update.length === 0) return `${target} do nothing`;
  return `${target} do update set ${update.map((one) => `${quoted(one)} = excluded.${quoted(one)}`).join(', ')}`;
}
