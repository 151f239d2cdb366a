import type { Transaction } from 'kysely';
import { z } from 'zod';
import type { Database, Queries } from '../../database/database.ts';
import { insertRows } from '../../database/insert-rows.ts';
import type { Tables } from '../../database/tables.ts';
import { behaviourOrInstant, DEFAULT_BEHAVIOUR, type Behaviour } from './behaviour.ts';
import { putExternalResource, resourcesMeant } from './external-resources.ts';
import { faultSchema, type Fault } from './faults.ts';
import { parseOrExplain } from './parse.ts';

import { EMPTY_WORLD_SEED } from './world.ts';

/** Makes these the fleet's faults, in place of those it had. */
export async function setFaults(database: Database, faults: unknown): Promise<Fault[]> {
  const parsed = parseOrExplain(z.array(faultSchema), faults, 'The list of faults');
  await database.write(['fleet'], async (tx) => {
    await tx.deleteFrom('faults').execute();
    await writeFaults(tx, parsed);
    await touchFleet(tx);
  });
  return parsed;
}

/** Adds faults to those that the fleet has. */
export async function addFaults(database: Database, faults: unknown): Promise<Fault[]> {
  const parsed = parseOrExplain(z.array(faultSchema), faults, 'The list of faults');
  await database.write(['fleet'], async (tx) => {
    await writeFaults(tx, parsed);
    await touchFleet(tx);
  });
  return parsed;
}

export async function readFaults(db: Queries): Promise<Fault[]> {
  const rows = await db.selectFrom('faults').select('fault').orderBy('id').execute();
  return rows.map(({ fault }) => JSON.parse(fault) as Fault);
}

/** How long things take from now on; what has begun goes on as it was planned. */
export async function setBehaviour(database: Database, behaviour: unknown): Promise<Behaviour> {
  const parsed = parseOrExplain(behaviourOrInstant, behaviour, 'The behaviour');
  await database.write(['fleet'], async (tx) => {
    await touchFleet(tx);
    await tx
      .updateTable('fleet')
      .set({ behaviour: JSON.stringify(parsed) })
      .execute();
  });
  return parsed;
}

/** Writes further faults. Those of external resources become the resources' own state, so that renewing a credential ends them. */
export async function writeFaults(tx: Transaction<Tables>, faults: readonly Fault[]): Promise<void> {
  const last = await tx
    .selectFrom('faults')
    .select((eb) => eb.fn.max('id').as('id'))
    .executeTakeFirst();
  const first = (last?.id ?? 0) + 1;
  await insertRows(
    tx,
    'faults',
    faults.map((fault, i) => ({
      id: first + i,
      fault: JSON.stringify(fault),
      remaining: fault.kind === 'apiError' ? (fault.times ?? null) : null,
    })),
  );
  for (const fault of faults) {
    if (fault.kind !== 'credentialExpired' && fault.kind !== 'resourceGone') continue;
    const change =
      fault.kind === 'credentialExpired' ? { credentialExpiresAt: fault.at } : { goneAt: fault.at };
    for (const resource of await resourcesMeant(tx, fault.url)) {
      await putExternalResource(tx, { ...resource, ...change });
    }
  }
}

/** Says that behaviour or faults have changed; a fleet that was never seeded gets its row, on wall time. */
export async function touchFleet(tx: Transaction<Tables>): Promise<void> {
  await tx
    .insertInto('fleet')
    .values({
      id: 1,
      epoch_virtual: 0,
      epoch_wall: 0,
      speed: 1,
      seed: EMPTY_WORLD_SEED,
      behaviour: JSON.stringify(DEFAULT_BEHAVIOUR),
      revision: 1,
    })
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet((eb) => ({ revision: eb('fleet.revision', '+', 1) })),
    )
    .execute();
}
