import type { SqliteDatabase, SqliteStatement } from 'kysely';
import type LibsqlDatabase from 'libsql';

/** Statements differ by their number of rows and values: the commonest stay, and the rest does not fill the memory. */
const MAX_STATEMENTS = 500;

/** Keeps statements for their next use: to prepare one takes as long as to run it. */
export class RememberingDatabase implements SqliteDatabase {
  readonly #database: LibsqlDatabase.Database;
  /** The one that was used last is the last. */
  readonly #known = new Map<string, SqliteStatement>();

  constructor(database: LibsqlDatabase.Database) {
    this.#database = database;
  }

  close(): void {
    this.#known.clear();
    this.#database.close();
  }

  prepare(sql: string): SqliteStatement {
    const statement = this.#known.get(sql) ?? this.#prepare(sql);
    this.#known.delete(sql);
    this.#known.set(sql, statement);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_STATEMENTS && oldest !== undefined) this.#known.delete(oldest);
    return statement;
  }

  /** One that failed is forgotten: libsql 0.5 may leave it in the middle of its work. */
  #prepare(sql: string): SqliteStatement {
    const prepared = this.#database.prepare(sql);
    const guarded =
      <A, R>(use: (parameters: A) => R) =>
      (parameters: A): R => {
        try {
          return use(parameters);
        } catch (error) {
          this.#known.delete(sql);
          throw error;
        }
      };
    return {
      // Asked for at every use, and the engine takes its time to answer.
      reader: prepared.reader,
      all: guarded((parameters: readonly unknown[]) => prepared.all(parameters)),
      run: guarded((parameters: readonly unknown[]) => {
        const { changes, lastInsertRowid } = prepared.run(parameters);
        return { changes, lastInsertRowid };
      }),
      iterate: guarded((parameters: readonly unknown[]) => prepared.iterate(parameters)),
    };
  }
}
