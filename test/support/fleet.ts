import type { Database } from '../../src/database/database.ts';
import type { Instant } from '../../src/domain/clock.ts';
import type { ImageVersion, PlatformImage } from '../../src/domain/image.ts';
import type { OperationRequest } from '../../src/fleet/port.ts';
import {
  openSimulatedFleet,
  type FleetSpec,
  type ScaleSetSpec,
  type SimulatedFleet,
} from '../../src/fleet/index.ts';
import { temporaryDatabase } from './database.ts';

/** When a test's fleet begins. */
export const EPOCH: Instant = Date.parse('2026-01-05T10:00:00Z');
export const OLD_VERSION = '22.04.202511010';
export const NEW_VERSION = '22.04.202512050';

const names = { publisher: 'Canonical', offer: '0001-com-ubuntu-server-jammy', sku: '22_04-lts' };
export const JAMMY: PlatformImage = { kind: 'platform', ...names };
/** What a rollout brings to a test's fleet. */
export const TARGET: ImageVersion = { image: JAMMY, version: NEW_VERSION };

/** A scale set of a test: eligible, regional, with a probe, on the old version, unless it says otherwise. */
export type TestSet = Partial<ScaleSetSpec> & { region: string; capacity: number };

export interface TestFleetOptions extends Partial<Omit<FleetSpec, 'scaleSets'>> {
  /** In place of a SQLite file of its own. */
  database?: Database;
}

export interface TestFleet {
  database: Database;
  fleet: SimulatedFleet;
  /** In the order of the sets. */
  scaleSetIds: string[];
  /** Closes the database, and removes it if it was made here. */
  remove(): Promise<void>;
}

/** A fleet for a test. The old version of its image is installed everywhere, the new one published at `EPOCH`. */
export async function fleetOf(sets: readonly TestSet[], options: TestFleetOptions = {}): Promise<TestFleet> {
  const { database = await temporaryDatabase(), ...spec } = options;
  const fleet = await openSimulatedFleet(database);
  await fleet.seed(fleetSpecOf(sets, spec));
  const scaleSetIds = sets.map((set, i) => testSetId(set.name ?? setName(i)));
  const remove = async () => {
    await ('remove' in database ? (database as { remove(): Promise<void> }).remove() : database.close());
  };
  return { database, fleet, scaleSetIds, remove };
}

/** The description that `fleetOf` seeds. */
export function fleetSpecOf(sets: readonly TestSet[], spec: Partial<FleetSpec> = {}): FleetSpec {
  return {
    seed: 'test',
    epochVirtual: new Date(EPOCH).toISOString(),
    images: [
      {
        ...names,
        versions: [{ version: OLD_VERSION }, { version: NEW_VERSION, publishedAt: EPOCH }],
      },
    ],
    ...spec,
    scaleSets: sets.map((set, i) => ({ name: setName(i), image: names, version: OLD_VERSION, ...set })),
  };
}

function setName(index: number): string {
  return `set-${index + 1}`;
}

/** The ARM id of a test's set of that name. */
export function testSetId(name: string): string {
  return `/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/fleet/providers/Microsoft.Compute/virtualMachineScaleSets/${name}`;
}

/** An operation on some instances, as the first try of a test's first attempt. */
export function request(
  scaleSetId: string,
  instanceIds: string[],
  operation: OperationRequest['operation'],
  at: Instant,
  more: Partial<OperationRequest> = {},
): OperationRequest {
  return {
    scaleSetId,
    instanceIds,
    operation,
    at,
    ordinal: 1,
    attemptId: 'attempt-1',
    rolloutId: 'rollout-1',
    fence: 1,
    ...(operation === 'osDisk.swap' ? { target: TARGET } : {}),
    ...more,
  };
}
