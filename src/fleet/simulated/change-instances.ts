import type { Database } from '../../database/database.ts';
import type { Instant } from '../../domain/clock.ts';
import { scaleSetKey } from '../../domain/scale-set.ts';
import type { InstanceState, Stop } from './state.ts';
import { loadInstances, loadSet, saveSet, setLock, settleAll } from './store.ts';

/** What can be done to an instance from outside an upgrade. */
export interface InstanceChange {
  protectFromScaleSetActions?: boolean;
  power?: 'running' | 'stopped' | 'deallocated';
}

/** Protects instances, or stops and starts them. */
export async function changeInstances(
  database: Database,
  id: string,
  instanceIds: readonly string[],
  change: InstanceChange,
  at: Instant,
): Promise<void> {
  const key = scaleSetKey(id);
  await database.write([setLock(key)], async (tx) => {
    const set = await loadSet(tx, id);
    if (set === null) return;
    const now = Math.max(at, set.simTime);
    const instances = await loadInstances(tx, set, { ids: instanceIds, dueUntil: now });
    const lines = settleAll(set.spec, instances, now);
    for (const instance of instances.filter(({ row: { instance_id } }) =>
      instanceIds.includes(instance_id),
    )) {
      instance.state = {
        ...instance.state,
        protected: change.protectFromScaleSetActions ?? instance.state.protected,
        power: change.power ?? instance.state.power,
        stops: stopsAfter(instance.state, change.power, now),
      };
    }
    await saveSet(tx, { ...set, simTime: now }, instances, lines);
  });
}

function stopsAfter({ power, stops }: InstanceState, next: InstanceChange['power'], now: Instant): Stop[] {
  const last = stops.at(-1);
  const isStopped = last !== undefined && last.to === null;
  if (next === 'running' && isStopped) return stops.with(-1, { ...last, to: now });
  return next !== undefined && next !== 'running' && power === 'running'
    ? [...stops, { from: now, to: null }]
    : stops;
}
