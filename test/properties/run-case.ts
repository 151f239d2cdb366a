import { windDownAttempt } from '../../src/activities/wind-down.ts';
import { openDatabase } from '../../src/database/database.ts';
import { DAY } from '../../src/domain/clock.ts';
import { openSimulatedFleet } from '../../src/fleet/index.ts';
import { openLedger } from '../../src/ledger/index.ts';
import { Rehearsal } from '../../src/rehearsal/rehearsal.ts';
import { imageRolloutId } from '../../src/workflows/ids.ts';
import type { Case } from './case.ts';
import { START, fleetOfCase, phasesOf, settingsOf, targetOf } from './fleet.ts';
import { schedule, type Stage } from './happenings.ts';
import { Invariants } from './invariants.ts';

/** Virtual time after which something must have gone wrong. */
const LIMIT = 20 * DAY;

/** What a run did, for those who want to know whether the cases are any good. */
export interface Ran {
  steps: number;
  outcomes: Record<string, number>;
}

/**
 * Rolls out as a case says, on the workers' own code in virtual time, and checks all that has to hold: at every step, at the
 * end, and from the journal alone.
 * @throws Error that names every invariant that was violated
 */
export async function runCase(given: Case): Promise<Ran> {
  const database = await openDatabase(':memory:');
  try {
    const fleet = await openSimulatedFleet(database);
    await fleet.seed(fleetOfCase(given));
    const ledger = openLedger(database);
    const chance = everyNth(given.continueAsNewEvery);
    let steps = 0;
    let storeCalls = 0;
    let calls = 0;
    const kills = new Map(given.kills.map(({ call, how }) => [call, how]));
    const storeKills = new Map(given.storeKills.map(({ call, how }) => [call, how]));
    const rehearsal = new Rehearsal({
      fleet,
      ledger,
      start: START,
      seed: given.seed,
      limit: LIMIT,
      disturb: () => {
        const how = kills.get(calls++) ?? 'none';
        if (how === 'terminate' || how === 'terminateBefore') stage.wasTerminated = true;
        return how;
      },
      ...(storeKills.size > 0 ? { disturbStore: () => storeKills.get(storeCalls++) ?? 'none' } : {}),
      continueAsNew: chance,
      onStep: async (step) => {
        steps++;
        await invariants.afterStep(step);
      },
    });
    const stage: Stage = { given, fleet, ledger, rehearsal, rollouts: [], wasTerminated: false };
    const invariants = new Invariants(stage);
    await invariants.begin();
    await startRollouts(stage);
    schedule(stage);
    await untilAllHasEnded(stage);
    await invariants.end();
    return { steps, outcomes: await outcomesOf(stage) };
  } finally {
    await database.close();
  }
}

async function startRollouts({ given, ledger, rehearsal, rollouts }: Stage): Promise<void> {
  const images = new Set<string>();
  for (const wanted of given.rollouts) {
    const phases = phasesOf(wanted, given.sets);
    if (images.has(wanted.image) || phases.length === 0) continue;
    images.add(wanted.image);
    const target = targetOf(wanted.image);
    const rollout = await ledger.rollouts.create({
      id: imageRolloutId(target, 1),
      kind: wanted.image === 'gallery' ? 'gallery' : 'platform',
      target,
      generation: 1,
      phases,
      settings: settingsOf(wanted),
      startedBy: 'test',
      startedAt: START,
    });
    rollouts.push(rollout);
    rehearsal.start(rollout);
  }
}

/** Lets everything come to its end, with people deciding where one is asked for, and mending what was terminated. */
async function untilAllHasEnded(stage: Stage): Promise<void> {
  const { rehearsal, ledger, given } = stage;
  const decisions = [...given.decisions];
  for (;;) {
    const end = await rehearsal.run();
    if (end === 'outOfTime') throw new Error(`It goes on for ever:\n  ${rehearsal.waits().join('\n  ')}`);
    if (end === 'waitsForDecision') {
      const decision = decisions.shift() ?? 'abort';
      for (const { id } of stage.rollouts) await rehearsal.decide(id, decision, 'ada', 'to see');
      continue;
    }
    const open = await ledger.attempts.listOpen();
    if (open.length === 0) return;
    // Nobody acts for them since all was terminated: somebody runs `rollouts repair`.
    for (const attempt of open) {
      await windDownAttempt(
        {
          fleet: rehearsal.fleet,
          ledger,
          workflows: {
            isOpen: async (id) => rehearsal.find(id) !== undefined,
            wake: async () => undefined,
            windDown: async (input) => void rehearsal.startScaleSet(input),
          },
        },
        attempt,
      );
    }
  }
}

function everyNth(n: number): () => boolean {
  let chances = 0;
  return () => n > 0 && ++chances % n === 0;
}

async function outcomesOf({ ledger, rollouts }: Stage): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const count = (what: string) => (counts[what] = (counts[what] ?? 0) + 1);
  for (const { id, action } of rollouts) {
    const rollout = await ledger.rollouts.get(id);
    count(`${action} ${rollout?.status}`);
  }
  for (const attempt of await ledger.attempts.listOf({})) {
    count(`attempt ${attempt.status} ${attempt.reason?.code ?? ''}`.trim());
    for (const { outcome } of await ledger.attempts.instances(attempt.id)) count(`VM ${outcome}`);
  }
  return counts;
}
