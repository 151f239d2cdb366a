import type { Queries } from '../../database/database.ts';
import { SECOND, type VirtualClock } from '../../domain/clock.ts';
import { DEFAULT_BEHAVIOUR, draw, type Behaviour } from './behaviour.ts';
import { Faults, type Fault, type Subject } from './faults.ts';
import type { Outage } from './view.ts';

/** What the behaviour of every VM follows from. */
export interface World {
  clock: VirtualClock | null;
  seed: string;
  behaviour: Behaviour;
  faults: Faults;
}

/** Before anything was seeded. */
export const EMPTY_WORLD_SEED = '1';

export async function loadWorld(db: Queries): Promise<World> {
  const row = await db.selectFrom('fleet').selectAll().executeTakeFirst();
  const faults = await db.selectFrom('faults').select(['id', 'fault']).orderBy('id').execute();
  const seed = row?.seed ?? EMPTY_WORLD_SEED;
  return {
    clock: row === undefined ? null : toClock(row),
    seed,
    behaviour: row === undefined ? DEFAULT_BEHAVIOUR : (JSON.parse(row.behaviour) as Behaviour),
    faults: new Faults(
      faults.map(({ id, fault }) => ({ id, fault: JSON.parse(fault) as Fault })),
      seed,
    ),
  };
}

/** The fleet's clock, or null before anything was seeded: asked for by every activity. */
export async function readClock(db: Queries): Promise<VirtualClock | null> {
  const row = await db
    .selectFrom('fleet')
    .select(['epoch_virtual', 'epoch_wall', 'speed'])
    .executeTakeFirst();
  return row === undefined ? null : toClock(row);
}

function toClock(row: { epoch_virtual: number; epoch_wall: number; speed: number }): VirtualClock {
  return { epochVirtual: row.epoch_virtual, epochWall: row.epoch_wall, speed: row.speed };
}

/** The outages that hit an instance, in order of time. */
export function outagesOf(world: World, subject: Subject): Outage[] {
  if (world.faults.of('outage').length === 0) return [];
  return world.faults
    .concerning('outage', subject)
    .map(({ from, to }) => ({
      from,
      to,
      recovery: draw(
        world.behaviour,
        'becomeHealthy',
        world.seed,
        subject.scaleSetId.toLowerCase(),
        subject.instanceId,
        to,
      ),
    }))
    .toSorted((a, b) => a.from - b.from);
}

/** How much longer than usual something takes, by the faults of a kind. */
export function delayBy(
  world: World,
  kind: 'slowBoot' | 'slowHealth',
  subject: Subject,
  version: string,
): number {
  return world.faults
    .concerning(kind, subject, version)
    .reduce((sum, fault) => sum + fault.seconds * SECOND, 0);
}
