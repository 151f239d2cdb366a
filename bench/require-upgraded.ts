import type { Database } from '../src/database/database.ts';
import { NEW_VERSION, type Shape } from './shape.ts';

/** A figure is worth nothing if the work was not done. @throws Error that says how many VMs are missing */
export async function requireUpgraded({ db }: Database, { vms }: Shape): Promise<void> {
  const { done } = await db
    .selectFrom('instances')
    .select((eb) => eb.fn.countAll<number>().as('done'))
    .where('version', '=', NEW_VERSION)
    .executeTakeFirstOrThrow();
  if (done !== vms) throw new Error(`${done} of ${vms} VMs run ${NEW_VERSION}: the rollout went wrong.`);
}
