import type { SimulatedFleet } from '../../src/fleet/index.ts';
import { Rehearsal } from '../../src/rehearsal/rehearsal.ts';
import { openWorld, type World } from '../../src/rehearsal/world.ts';
import { inOrder, type Engine, type EngineOptions } from './engine.ts';
import { START, fleetOfCase } from './fleet.ts';

/** Rollouts by the in-process interpreter: everything that a case says can happen to them, at any edge. */
export async function interpreted({
  given,
  onCall,
  onTermination,
  ...options
}: EngineOptions): Promise<Engine> {
  const world = await openWorld();
  await world.fleet.seed(fleetOfCase(given));
  const kill = inOrder(given.kills);
  let calls = 0;
  const rehearsal = new Rehearsal({
    ...options,
    ...world,
    start: START,
    seed: given.seed,
    disturb: () => {
      onCall?.(calls++);
      const how = kill();
      if (how === 'terminate' || how === 'terminateBefore') onTermination();
      return how;
    },
    ...(given.storeKills.length > 0 ? { disturbStore: inOrder(given.storeKills) } : {}),
    continueAsNew: everyNth(given.continueAsNewEvery),
  });
  return engineOn(rehearsal, world);
}

function engineOn(rehearsal: Rehearsal<SimulatedFleet>, world: World): Engine {
  return {
    get now() {
      return rehearsal.now;
    },
    fleet: rehearsal.fleet,
    ledger: world.ledger,
    workflows: {
      isOpen: async (id) => rehearsal.find(id) !== undefined,
      wake: async (ids) => ids.forEach((id) => rehearsal.find(id)?.wake()),
      windDown: async (input) => void rehearsal.startScaleSet(input),
    },
    at: (moment, action) => rehearsal.at(moment, action),
    start: async (rollout, scaleSet) => void rehearsal.start(rollout, scaleSet),
    wakeAll: async () => rehearsal.wakeAll(),
    cancel: async (isMeant) => {
      for (const process of rehearsal.processes.filter(({ id }) => isMeant(id))) process.cancel();
    },
    terminate: (isMeant) => rehearsal.terminate(isMeant),
    decide: (...decision) => rehearsal.decide(...decision),
    run: () => rehearsal.run(),
    waits: async () => rehearsal.waits(),
    close: () => world.close(),
  };
}

function everyNth(n: number): () => boolean {
  let chances = 0;
  return () => n > 0 && ++chances % n === 0;
}
