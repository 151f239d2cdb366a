import type { Selectable } from 'kysely';
import type { Database, Queries } from '../database/database.ts';
import { appendJournal } from '../database/journal.ts';
import type { CalendarRulesTable } from '../database/tables-ledger.ts';
import type { JournalEntry } from '../domain/operation.ts';
import { parseScope } from '../domain/scopes.ts';
import type { Calendar, CalendarReading, CalendarRule, NewRule, RecordedRule } from './port.ts';
import { fromJson, toJson, type Tx } from './rows.ts';

/** Whoever changes a rule has this lock alone; batches that go by them share it, so that the journal has both in their order. */
export const CALENDAR = 'calendar';

type Row = Selectable<CalendarRulesTable>;

/** When batches may begin (rule D10). */
export function calendarOn(database: Database): Calendar {
  return {
    add: (rule) => add(database, rule),
    remove: (id, by) => remove(database, id, by),
    read: () => read(database),
    list: async () => (await rowsOf(database.db)).map(toRecorded),
  };
}

async function add(database: Database, rule: NewRule): Promise<CalendarRule> {
  const { scope, who, why, at, ...definition } = rule;
  return database.write([CALENDAR], async (tx) => {
    const row = await tx
      .insertInto('calendar_rules')
      .values({ kind: rule.kind, scope, definition: toJson(definition), who, why, at })
      .returningAll()
      .executeTakeFirstOrThrow();
    const added = toRule(row);
    await journalChange(tx, added, { at, event: 'started', observed: { rule: added } });
    return added;
  });
}

async function remove(
  database: Database,
  id: string,
  { who, why, at }: { who: string; why: string; at: number },
): Promise<CalendarRule | null> {
  return database.write([CALENDAR], async (tx) => {
    const row = (await rowsOf(tx)).find((one) => idOf(one) === id.toLowerCase());
    if (row === undefined || row.removed_at !== null) return null;
    await tx
      .updateTable('calendar_rules')
      .set({ removed_at: at, removed_by: who, removed_why: why })
      .where('seq', '=', row.seq)
      .execute();
    const rule = toRule(row);
    await journalChange(tx, rule, { at, event: 'succeeded', observed: { rule, removed: { who, why } } });
    return rule;
  });
}

async function read(database: Database): Promise<CalendarReading> {
  const rows = await rowsOf(database.db);
  return {
    revision: changesIn(rows),
    rules: rows.filter(({ removed_at }) => removed_at === null).map(toRule),
  };
}

/** How often the rules have been changed, as a transaction that batches share sees them. */
export async function revisionOf(tx: Queries): Promise<number> {
  return changesIn(await tx.selectFrom('calendar_rules').select('removed_at').execute());
}

/** Rules are added and taken back, and nothing else is done to them. */
function changesIn(rows: readonly Pick<Row, 'removed_at'>[]): number {
  return rows.length + rows.filter(({ removed_at }) => removed_at !== null).length;
}

function rowsOf(queries: Queries): Promise<Row[]> {
  return queries.selectFrom('calendar_rules').selectAll().orderBy('seq').execute();
}

/** A line that is of no attempt: audits read all of them by their empty rollout. */
async function journalChange(
  tx: Tx,
  rule: CalendarRule,
  line: Pick<JournalEntry, 'at' | 'event' | 'observed'>,
): Promise<void> {
  const scope = parseScope(rule.scope);
  await appendJournal(tx, [
    {
      operation: rule.kind,
      scaleSetId: scope?.kind === 'scaleSet' ? scope.scaleSetId : '',
      instanceId: '',
      region: '',
      zone: null,
      updateDomain: null,
      rolloutId: '',
      attemptId: '',
      fromVersion: null,
      toVersion: null,
      detail: rule.id,
      error: null,
      ...line,
    },
  ]);
}

function idOf({ kind, seq }: Pick<Row, 'kind' | 'seq'>): string {
  return `${kind}-${seq}`;
}

function toRule(row: Row): CalendarRule {
  const { scope, who, why, at } = row;
  return { ...fromJson(row.definition), id: idOf(row), scope, who, why, at };
}

function toRecorded(row: Row): RecordedRule {
  const { removed_at: at, removed_by: who, removed_why: why } = row;
  return { rule: toRule(row), removed: at === null ? null : { who: who ?? '', why: why ?? '', at } };
}
