import type { Queries } from '../../database/database.ts';
import { SECOND, type VirtualClock } from '../../domain/clock.ts';
import { probesOf, type Probe } from '../load-balancer.ts';
import { endpointKey, readCluster, type Cluster } from '../service-fabric.ts';
import type { Json } from '../wire-shape.ts';
import { DEFAULT_BEHAVIOUR, draw, type Behaviour } from './behaviour.ts';
import { Faults, type Fault, type Subject } from './faults.ts';
import type { InstanceState, Stop } from './state.ts';
import type { Flapping, Outage } from './view.ts';

/** What the behaviour of every VM follows from. */
export interface World {
  clock: VirtualClock | null;
  seed: string;
  behaviour: Behaviour;
  faults: Faults;
  /** Load balancers' probes, by their id in lower case. */
  probes: ReadonlyMap<string, Probe>;
  /** Service Fabric clusters, by the key of their endpoint. */
  clusters: ReadonlyMap<string, Cluster>;
}

/** Before anything was seeded. */
export const EMPTY_WORLD_SEED = '1';

/** Whoever changes what is in it says so by `touchFleet`. */
export async function loadWorld(db: Queries): Promise<World> {
  const row = await db.selectFrom('fleet').selectAll().executeTakeFirst();
  const faults = await db.selectFrom('faults').select(['id', 'fault']).orderBy('id').execute();
  const balancers = await db.selectFrom('load_balancers').select('arm').execute();
  const probes = balancers.flatMap(({ arm }) => probesOf(JSON.parse(arm) as Json));
  const clusters = await db.selectFrom('service_fabric_clusters').select('arm').orderBy('key').execute();
  const seed = row?.seed ?? EMPTY_WORLD_SEED;
  return {
    clock: row === undefined ? null : toClock(row),
    seed,
    behaviour: row === undefined ? DEFAULT_BEHAVIOUR : (JSON.parse(row.behaviour) as Behaviour),
    faults: new Faults(
      faults.map(({ id, fault }) => ({ id, fault: JSON.parse(fault) as Fault })),
      seed,
    ),
    probes: new Map(probes.map((probe) => [probe.id.toLowerCase(), probe])),
    clusters: new Map(
      clusters
        .map(({ arm }) => readCluster(JSON.parse(arm) as Json))
        .filter((cluster) => cluster !== null)
        .map((cluster) => [endpointKey(cluster.endpoint), cluster]),
    ),
  };
}

export interface Head {
  /** Null before anything was seeded. */
  clock: VirtualClock | null;
  /** A number that changes with the world: see `loadWorld`. */
  revision: number;
}

export async function readHead(db: Queries): Promise<Head> {
  const row = await db
    .selectFrom('fleet')
    .select(['epoch_virtual', 'epoch_wall', 'speed', 'revision'])
    .executeTakeFirst();
  return row === undefined ? { clock: null, revision: 0 } : { clock: toClock(row), revision: row.revision };
}

function toClock(row: { epoch_virtual: number; epoch_wall: number; speed: number }): VirtualClock {
  return { epochVirtual: row.epoch_virtual, epochWall: row.epoch_wall, speed: row.speed };
}

/**
 * The times in which an instance is down, in order: outages from outside, and those in which its owner has stopped it.
 * @param stops its owner's; one that lasts has no end
 */
function outagesOf(world: World, subject: Subject, stops: readonly Stop[]): Outage[] {
  const outages = world.faults.concerning('outage', subject);
  return [...outages, ...stops.map(({ from, to }) => ({ from, to: to ?? Infinity }))]
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

/** What befalls an instance from outside, and by itself. */
export function fateOf(
  world: World,
  subject: Subject,
  { stops, osDisk }: Pick<InstanceState, 'stops' | 'osDisk'>,
): { outages: Outage[]; flappings: Flapping[] } {
  return {
    outages: outagesOf(world, subject, stops),
    flappings: flappingsOf(world, subject, osDisk?.source.version ?? null),
  };
}

/** How the application of an instance goes up and down by itself. */
function flappingsOf(world: World, subject: Subject, version: string | null): Flapping[] {
  return world.faults.concerning('flapping', subject, version ?? '').map((fault) => {
    const half = (fault.periodSeconds ?? 0) / 2;
    return {
      from: fault.from ?? null,
      to: fault.to ?? null,
      healthy: (fault.healthySeconds ?? half) * SECOND,
      unhealthy: (fault.unhealthySeconds ?? half) * SECOND,
    };
  });
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
