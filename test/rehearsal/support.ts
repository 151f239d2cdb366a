import { afterEach } from 'vitest';
import { HOUR, MINUTE } from '../../src/domain/clock.ts';
import { DEFAULT_SETTINGS, type RolloutSettings } from '../../src/domain/policy.ts';
import { openLedger } from '../../src/ledger/index.ts';
import type { Ledger, NewRollout, RecordedEntry } from '../../src/ledger/port.ts';
import { Rehearsal, type RehearsalOptions } from '../../src/rehearsal/rehearsal.ts';
import { imageRolloutId } from '../../src/workflows/ids.ts';
import {
  EPOCH,
  TARGET,
  fleetOf,
  type TestFleet,
  type TestFleetOptions,
  type TestSet,
} from '../support/fleet.ts';

/** When a rehearsal of a test begins: later than any clock of this machine would say. */
export const START = EPOCH + 24 * HOUR;

export interface RehearsalWorld extends TestFleet {
  ledger: Ledger;
  rehearsal: Rehearsal;
}

const worlds: TestFleet[] = [];

export function removeWorldsAfterEach(): void {
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.remove();
  });
}

/** A fleet in memory with its ledger, and an interpreter for it. */
export async function rehearsalOf(
  sets: readonly TestSet[],
  options: TestFleetOptions = {},
  more: Partial<RehearsalOptions> = {},
): Promise<RehearsalWorld> {
  const world = await fleetOf(sets, options);
  worlds.push(world);
  const ledger = openLedger(world.database);
  const rehearsal = new Rehearsal({ fleet: world.fleet, ledger, start: START, ...more });
  return { ...world, ledger, rehearsal };
}

/** Short waits, for tests that are about something else. */
export const QUICK: RolloutSettings = {
  ...DEFAULT_SETTINGS,
  triggerDelay: { min: 0, max: MINUTE },
  firstTriggerDelay: 0,
  bakeTime: MINUTE,
};

/** Records a rollout of the new version and starts it. */
export async function start(
  { ledger, rehearsal }: RehearsalWorld,
  regions: string[][],
  change: Partial<NewRollout> = {},
  scaleSet?: { id: string; region: string },
): Promise<string> {
  const rollout = await ledger.rollouts.create({
    id: imageRolloutId(TARGET, 1),
    kind: 'platform',
    target: TARGET,
    generation: 1,
    phases: regions.map((each, i) => ({ name: `phase ${i + 1}`, regions: each })),
    settings: QUICK,
    startedBy: 'test',
    startedAt: START,
    ...change,
  });
  rehearsal.start(rollout, scaleSet);
  return rollout.id;
}

export async function journalOf({ ledger }: RehearsalWorld, rolloutId: string): Promise<RecordedEntry[]> {
  const entries = await ledger.journal.read({ rolloutId });
  return entries.toSorted((a, b) => a.at - b.at || a.seq - b.seq);
}
