import { describe, expect, it } from 'vitest';
import { ACTIVITY_NAMES } from '../../src/activities/index.ts';
import type { FaultEdge } from '../../src/temporal/fault-kill.ts';
import { inWorld, survives, told, undisturbedOutcome, untilKilled, useServer } from './support/cases.ts';
import { expectSurvived } from './support/outcome.ts';
import { SCENARIOS, type ActivityName, type Scenario } from './support/scenarios.ts';

const server = useServer('edges');

/** They read, and write nothing: there is no moment after a commit. A case checks that. */
const READ_ONLY: readonly ActivityName[] = ['readOrder'];

/** Further times at which an activity comes to an edge, where it does so with different work each time. */
const FURTHER: Partial<Record<ActivityName, Partial<Record<FaultEdge, number[]>>>> = {};

const EDGES: readonly FaultEdge[] = ['before', 'after-write', 'before-return'];

function scenarioOf(activity: ActivityName): Scenario | undefined {
  return SCENARIOS.find((scenario) => scenario.reaches.includes(activity));
}

describe('the table of activities', () => {
  it('has a scenario for each of them', () => {
    expect(ACTIVITY_NAMES.filter((activity) => !scenarioOf(activity))).toEqual([]);
  });
});

for (const activity of ACTIVITY_NAMES) {
  const scenario = scenarioOf(activity);
  if (!scenario) continue;
  for (const edge of EDGES) {
    if (edge === 'after-write' && READ_ONLY.includes(activity)) continue;
    for (const n of [1, ...(FURTHER[activity]?.[edge] ?? [])]) {
      survives('Worker killed at an edge of an activity', `${activity}, ${edge}, time ${n}`, async () => {
        const fault = `${activity}:${edge}:${n}`;
        const reference = await undisturbedOutcome(server(), scenario);
        return inWorld(fault, server(), scenario, async (world) => {
          const doomed = await world.startWorker(fault);
          const rollout = scenario.carryOut(world);
          await untilKilled(doomed, rollout);
          await world.startWorker();
          await rollout;
          return told((await expectSurvived(world, reference)).counts);
        });
      });
    }
  }
}
