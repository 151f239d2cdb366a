import { sql } from 'kysely';
import { expect, it, vi } from 'vitest';
import { openDatabase } from '../../src/database/database.ts';
import { describeEngines } from '../support/engines.ts';

describeEngines('a connection that the server ends', (open, engine) => {
  it.skipIf(engine === 'sqlite')(
    'between two statements of a transaction fails that transaction and nothing else',
    async () => {
      const database = await open();
      const other = await openDatabase(database.url);
      const transaction = database.write([], async (tx) => {
        const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx);
        const pid = rows[0]?.pid;
        await sql`select pg_terminate_backend(${pid})`.execute(other.db);
        await vi.waitFor(async () => {
          const left = await sql`select from pg_stat_activity where pid = ${pid}`.execute(other.db);
          expect(left.rows).toEqual([]);
        });
        await sql`select 1`.execute(tx);
      });
      await expect(transaction).rejects.toThrow(/connection|terminat/i);
      const answer = await database.write([], (tx) => sql`select 1 as one`.execute(tx));
      expect(answer.rows).toEqual([{ one: 1 }]);
      await other.close();
    },
  );
});
