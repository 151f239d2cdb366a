import { describe, expect, it } from 'vitest';
import { ACTIVITY_NAMES } from '../../src/activities/index.ts';
import type { FaultEdge } from '../../src/temporal/fault-kill.ts';
import { disturbed, survives, untilKilled, useServer } from './support/cases.ts';
import { HALTED, SCENARIOS, TERMINATED, type ActivityName, type Scenario } from './support/scenarios.ts';

const server = useServer('edges');

const GROUP = 'A worker is killed at an edge of an activity';

/** What stands when a worker dies there. */
const EDGES: Record<FaultEdge, string> = {
  before: 'nothing was done: the next worker did it',
  'after-write': 'written and not finished: the next worker found it and did the rest',
  'before-return': 'done and not told: the next worker found it done',
};

/** They read and write nothing: no moment is after a commit. A case shows that. */
const READ_ONLY: readonly ActivityName[] = ['readOrder'];

/** Further times at which an activity comes to an edge, with other work than the first time. */
const FURTHER: readonly [Scenario, ActivityName, FaultEdge, readonly number[]][] = [
  [TERMINATED, 'lookAtScaleSet', 'after-write', [1, 2, 3, 4, 5, 6, 7]],
  [TERMINATED, 'lookAtRegion', 'after-write', [1, 2, 3]],
  [HALTED, 'lookAtScaleSet', 'after-write', [5, 25]],
  [HALTED, 'swapOsDisks', 'after-write', [4]],
  [HALTED, 'configureInstances', 'after-write', [2, 3]],
  [HALTED, 'checkHealth', 'after-write', [3, 12]],
  [HALTED, 'restoreOsDisks', 'after-write', [3]],
  [HALTED, 'setRolloutStatus', 'after-write', [3, 4]],
];

describe('the table of activities', () => {
  it('has a scenario for each of them', () => {
    const reached = new Set(SCENARIOS.flatMap((scenario) => scenario.reaches));
    expect(ACTIVITY_NAMES.filter((activity) => !reached.has(activity))).toEqual([]);
  });
});

for (const scenario of SCENARIOS) {
  for (const activity of ACTIVITY_NAMES.filter((name) => scenario.reaches.includes(name))) {
    for (const edge of Object.keys(EDGES) as FaultEdge[]) {
      if (edge === 'after-write' && READ_ONLY.includes(activity)) neverWrites(scenario, activity);
      else killedAt(scenario, activity, edge, 1);
    }
  }
}

for (const [scenario, activity, edge, times] of FURTHER) {
  for (const n of times) killedAt(scenario, activity, edge, n);
}

function killedAt(scenario: Scenario, activity: ActivityName, edge: FaultEdge, n: number): void {
  const fault = `${activity}:${edge}:${n}`;
  survives(GROUP, `${fault} (${scenario.name})`, () =>
    disturbed(`${fault} ${scenario.name}`, server(), scenario, async (world, rollout) => {
      await untilKilled(await world.startWorker(fault), rollout);
      await world.startWorker();
      return EDGES[edge];
    }),
  );
}

/** The kill that must not happen. */
function neverWrites(scenario: Scenario, activity: ActivityName): void {
  const fault = `${activity}:after-write:1`;
  survives(GROUP, `${fault} (${scenario.name})`, () =>
    disturbed(fault, server(), scenario, async (world, rollout) => {
      const worker = await world.startWorker(fault);
      const ended = rollout.then(() => 'the rollout');
      expect(await Promise.race([worker.exited, ended])).toBe('the rollout');
      return 'it only reads: the worker lived';
    }),
  );
}
