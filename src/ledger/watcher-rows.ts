import type { Selectable } from 'kysely';
import type { Queries } from '../database/database.ts';
import type { WatchersTable } from '../database/tables-watchers.ts';
import { fromJsonOrNull } from './rows.ts';
import type { Watcher } from './watcher-records.ts';

export function toWatcher(row: Selectable<WatchersTable>): Watcher {
  return {
    name: row.name,
    url: row.url,
    kinds: fromJsonOrNull(row.kinds),
    secret: row.secret,
    who: row.who,
    addedAt: row.added_at,
    lastSeq: row.last_seq,
    failures: row.failures,
    failingSince: row.failing_since,
    lastError: row.last_error,
    lastTryAt: row.last_try_at,
    lastAcceptedAt: row.last_accepted_at,
    nextTryAt: row.next_try_at,
    disabledAt: row.disabled_at,
    disabledWhy: row.disabled_why,
  };
}

/** The last event that was recorded; 0 if there is none. */
export async function lastSeq(db: Queries): Promise<number> {
  const row = await db
    .selectFrom('events')
    .select((eb) => eb.fn.max('seq').as('last'))
    .executeTakeFirst();
  // Of no rows the maximum is null, whatever the column's type says.
  return (row?.last as number | null | undefined) ?? 0;
}

/** The events for a watcher after one: of the kinds that it chose, and those that were meant for it alone. */
export function eventsAfter(db: Queries, { name, kinds }: Pick<Watcher, 'name' | 'kinds'>, seq: number) {
  return db
    .selectFrom('events')
    .where('seq', '>', seq)
    .where((eb) =>
      eb.or([
        eb.and([eb('kind', '=', 'watcher.test'), eb('subject', '=', name)]),
        kinds === null ? eb('kind', '<>', 'watcher.test') : eb('kind', 'in', kinds),
      ]),
    );
}
