import type { Selectable } from 'kysely';
import type { Database } from '../database/database.ts';
import type { OrderLogTable } from '../database/tables-ledger.ts';
import type { DesiredState, Order, Orders } from './port.ts';
import { keyOf } from './rows.ts';

const STRENGTH: Record<DesiredState, number> = { running: 0, paused: 1, superseded: 2, cancelled: 3 };

/** What people ordered: one order stands for each scope, and a log keeps every order that was ever given. */
export function ordersOn(database: Database): Orders {
  return {
    set: (order) => set(database, order),
    inForce: (scopes) => inForce(database, scopes),
    list: (filter) => list(database, filter ?? {}),
  };
}

/** The same order given twice, as by a retry, is one order. */
function set(database: Database, order: Order): Promise<void> {
  const scopeKey = keyOf(order.scope);
  const row = { scope_key: scopeKey, ...pick(order) };
  return database.write([`orders:${scopeKey}`], async (tx) => {
    const standing = await tx
      .selectFrom('orders')
      .selectAll()
      .where('scope_key', '=', scopeKey)
      .executeTakeFirst();
    if (standing !== undefined && isSame(standing, order)) return;
    const { seq } = await tx.insertInto('order_log').values(row).returning('seq').executeTakeFirstOrThrow();
    await tx
      .insertInto('orders')
      .values({ ...row, seq })
      .onConflict((conflict) => conflict.column('scope_key').doUpdateSet({ ...row, seq }))
      .execute();
  });
}

function pick({ scope, state, who, why, at }: Order): Order {
  return { scope, state, who, why, at };
}

function isSame(row: { state: string; who: string; why: string; at: number }, order: Order): boolean {
  return row.state === order.state && row.who === order.who && row.why === order.why && row.at === order.at;
}

/** The strongest order of all scopes; of equally strong ones the newest. */
async function inForce(database: Database, scopes: readonly string[]): Promise<Order | null> {
  if (scopes.length === 0) return null;
  const rows = await database.db
    .selectFrom('orders')
    .selectAll()
    .where('scope_key', 'in', scopes.map(keyOf))
    .orderBy('seq', 'desc')
    .execute();
  const [strongest] = rows.map(toOrder).toSorted((a, b) => STRENGTH[b.state] - STRENGTH[a.state]);
  return strongest ?? null;
}

async function list(database: Database, filter: { scope?: string; all?: boolean }): Promise<Order[]> {
  let query = database.db
    .selectFrom(filter.all === true ? 'order_log' : 'orders')
    .select(['scope_key', 'scope', 'state', 'who', 'why', 'at', 'seq'])
    .orderBy('seq', 'desc');
  if (filter.scope !== undefined) query = query.where('scope_key', '=', keyOf(filter.scope));
  return (await query.execute()).map(toOrder);
}

function toOrder(row: Selectable<OrderLogTable>): Order {
  return {
    scope: row.scope,
    state: row.state as DesiredState,
    who: row.who,
    why: row.why,
    at: row.at,
  };
}
