import { CompiledQuery, PostgresAdapter, type Insertable } from 'kysely';
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
  const [first] = rows as readonly Record<string, unknown>[];
  if (first === undefined) return;
  const columns = Object.keys(first);
  const numbered = tx.getExecutor().adapter instanceof PostgresAdapter;
  const size = Math.floor(MAX_PARAMETERS / columns.length);
  for (let i = 0; i < rows.length; i += size) {
    const some = rows.slice(i, i + size) as readonly Record<string, unknown>[];
    const text = statementOf({ table, columns, rows: some.length, numbered }, onConflict);
    const values = some.flatMap((row) => columns.map((column) => row[column]));
    await tx.executeQuery(CompiledQuery.raw(text, values));
  }
}

interface Shape {
  table: string;
  columns: readonly string[];
  rows: number;
  numbered: boolean;
}

/** Statements by their shape: of twenty rows one is long, and a text that was made before is found again at once. */
const texts = new Map<string, string>();
const MAX_TEXTS = 500;

function statementOf<T extends keyof Tables>(shape: Shape, onConflict: OnConflict<T> | undefined): string {
  const { table, columns, rows, numbered } = shape;
  const key = `${table} ${rows} ${columns.join()} ${onConflict?.update.join()} ${numbered}`;
  const known = texts.get(key);
  if (known !== undefined) return known;
  const places = numbered ? numberedPlaces(rows, columns.length) : plainPlaces(rows, columns.length);
  const text = `insert into "${table}" (${columns.map(quoted).join(', ')}) values ${places}${conflictClause(onConflict)}`;
  if (texts.size < MAX_TEXTS) texts.set(key, text);
  return text;
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
