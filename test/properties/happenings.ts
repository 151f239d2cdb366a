import { ruleScope } from '../../src/domain/calendar.ts';
import { MINUTE } from '../../src/domain/clock.ts';
import { WEEKDAYS } from '../../src/domain/maintenance-window.ts';
import type { ScaleSet } from '../../src/domain/scale-set.ts';
import { ALL, phaseScope, regionScope, rolloutScope, scaleSetScope } from '../../src/domain/scopes.ts';
import type { SimulatedFleet } from '../../src/fleet/index.ts';
import type { Decision, DecisionKind, DesiredState, Ledger, Rollout } from '../../src/ledger/port.ts';
import { manualRolloutId, parseWorkflowId, scaleSetRolloutId } from '../../src/workflows/ids.ts';
import { testSetId } from '../support/fleet.ts';
import { REGIONS, type Case, type ScopeCase, type Sent, type What } from './case.ts';
import type { Engine } from './engine.ts';
import { mismatch } from './fabric.ts';
import { RESOURCE, START, nameOf, targetOf } from './fleet.ts';

export interface Stage {
  given: Case;
  fleet: SimulatedFleet;
  ledger: Ledger;
  engine: Engine;
  rollouts: Rollout[];
  /** Decisions that were answered, as they were. */
  answered: Decision[];
  /** True once a workflow was ended by hand: what it would have recorded may be missing then. */
  wasTerminated: boolean;
}

type Of<K extends What['do']> = Extract<What, { do: K }>;

/** Has everything happen that a case says, at its time. */
export function schedule(stage: Stage): void {
  const { given, engine } = stage;
  for (const happening of given.happenings) {
    const moment = START + happening.at * MINUTE;
    if (happening.do === 'calendar') layDown(stage, moment, happening);
    else engine.at(moment, () => carryOut(stage, happening));
  }
}

/** Has what is to be sent at a call happen right after it. */
export function sendAt(stage: Stage, call: number): void {
  const { given, engine } = stage;
  for (const send of given.sends.filter((one) => one.call === call))
    engine.at(engine.now, () => carryOut(stage, send));
}

async function carryOut(stage: Stage, happening: Sent): Promise<void> {
  const { engine } = stage;
  switch (happening.do) {
    case 'pause': {
      const scope = scopeOf(stage, happening.scope);
      engine.at(engine.now + happening.minutes * MINUTE, () => order(stage, scope, 'running'));
      return order(stage, scope, 'paused');
    }
    case 'cancel':
      return order(stage, scopeOf(stage, happening.scope), 'cancelled');
    case 'decide':
      return decideOnAll(stage, happening.decision);
    case 'lookAgain':
      return engine.wakeAll();
    case 'terminate':
    case 'temporalCancel':
      return endByHand(stage, happening);
    case 'manual':
      await startManually(stage, happening);
      return;
    default:
      await changeSet(stage, happening);
      await engine.wakeAll();
  }
}

/** A person decides on whatever waits for it. */
export async function decideOnAll(
  { rollouts, engine, answered }: Stage,
  decision: DecisionKind,
): Promise<void> {
  for (const { id } of rollouts) {
    const answer = await engine.decide(id, decision, 'ada', 'to see');
    if (answer !== null) answered.push(answer);
  }
}

function scopeOf({ rollouts, given }: Stage, { level, number }: ScopeCase): string {
  const { id: rolloutId = '' } = rollouts[number % Math.max(1, rollouts.length)] ?? {};
  switch (level) {
    case 'all':
      return ALL;
    case 'rollout':
      return rolloutScope(rolloutId);
    case 'phase':
      return phaseScope(rolloutId, 1 + (number % 3));
    case 'region':
      return regionScope(rolloutId, REGIONS[number % REGIONS.length] as string);
    case 'scaleSet':
      return scaleSetScope(testSetId(nameOf(number % given.sets.length)));
  }
}

/** A person's order; a cancel is for good. */
async function order({ ledger, engine }: Stage, scope: string, state: DesiredState): Promise<void> {
  const [before] = await ledger.orders.list({ scope });
  if (before?.state === 'cancelled') return;
  await ledger.orders.set({ scope, state, who: 'ada', why: 'to see', at: engine.now });
  await engine.wakeAll();
}

/** Windows, freezes and overrides, which are of no phase (rule D10). */
function layDown(stage: Stage, from: number, { rule, scope, minutes }: Of<'calendar'>): void {
  const { ledger, engine } = stage;
  const by = { who: 'ada', why: 'to see' };
  const until = from + minutes * MINUTE;
  engine.at(from, async () => {
    const place = { scope: ruleScopeOf(stage, rule.kind, scope), ...by, at: engine.now };
    const { start, length, zone } = rule;
    const window = { days: [...WEEKDAYS], start, zone, length: { duration: length * MINUTE } };
    const { id } =
      rule.kind === 'window'
        ? await ledger.calendar.add({ kind: 'window', window, ...place })
        : rule.kind === 'freeze'
          ? await ledger.calendar.add({ kind: 'freeze', from, until, ...place })
          : await ledger.calendar.add({ kind: 'override', until, ...place });
    await engine.wakeAll();
    engine.at(until, async () => {
      await ledger.calendar.remove(id, { ...by, at: engine.now });
      await engine.wakeAll();
    });
  });
}

function ruleScopeOf(
  { rollouts, given }: Stage,
  kind: Of<'calendar'>['rule']['kind'],
  { level, number }: ScopeCase,
): string {
  const rollout = rollouts[number % Math.max(1, rollouts.length)];
  switch (level) {
    case 'scaleSet':
      return ruleScope({ kind: 'scaleSet', scaleSetId: testSetId(nameOf(number % given.sets.length)) });
    case 'all':
      return ruleScope({ kind: 'all' });
    case 'rollout':
      if (kind === 'override' && rollout) return ruleScope({ kind: 'rollout', rolloutId: rollout.id });
      return ruleScope({ kind: 'all' });
    default:
      return ruleScope({ kind: 'region', region: REGIONS[number % REGIONS.length] as string });
  }
}

async function endByHand(
  stage: Stage,
  { do: how, level }: Of<'terminate' | 'temporalCancel'>,
): Promise<void> {
  const { engine } = stage;
  const isMeant = (id: string) => level === 'everything' || parseWorkflowId(id)?.level === level;
  if (how === 'temporalCancel') return engine.cancel(isMeant);
  stage.wasTerminated = (engine.terminate?.(isMeant) ?? 0) > 0 || stage.wasTerminated;
}

type SetChange = Exclude<
  What,
  { do: 'pause' | 'cancel' | 'calendar' | 'terminate' | 'temporalCancel' | 'manual' | 'decide' | 'lookAgain' }
>;

async function changeSet({ fleet, engine, given }: Stage, happening: SetChange): Promise<void> {
  const index = happening.set % given.sets.length;
  const id = testSetId(nameOf(index));
  const set = await fleet.scaleSet(id);
  const at = engine.now;
  if (set === null) return;
  switch (happening.do) {
    case 'renew':
      return fleet.putExternalResource({ url: RESOURCE, credentialExpiresAt: null, goneAt: null });
    case 'mismatch':
      return mismatch(fleet, given.sets[index]?.fabric ?? null, nameOf(index));
    case 'deleteSet':
      return fleet.deleteScaleSet(id, at);
    case 'optOut':
      return write(
        fleet,
        set,
        at,
        ['properties', 'upgradePolicy', 'automaticOSUpgradePolicy', 'enableAutomaticOSUpgrade'],
        false,
      );
    case 'scale':
      return write(fleet, set, at, ['sku', 'capacity'], happening.capacity);
    case 'deleteInstance':
      return fleet.deleteInstances(id, [String(happening.instance)], at);
    case 'protect':
    case 'unprotect':
      return fleet.changeInstances(
        id,
        [String(happening.instance)],
        { protectFromScaleSetActions: happening.do === 'protect' },
        at,
      );
    default: {
      const power = happening.do === 'stop' ? 'deallocated' : 'running';
      return fleet.changeInstances(id, [String(happening.instance)], { power }, at);
    }
  }
}

async function write(
  fleet: SimulatedFleet,
  { id, modelApiVersion }: ScaleSet,
  at: number,
  path: string[],
  value: unknown,
) {
  const model = structuredClone(await fleet.model(id)) as Record<string, unknown>;
  const parent = path
    .slice(0, -1)
    .reduce<Record<string, unknown>>((part, name) => part[name] as Record<string, unknown>, model);
  parent[path.at(-1) as string] = value;
  await fleet.writeModel({ id, model, apiVersion: modelApiVersion, at });
}

/** What a person starts on one set, as the client library does: refused while anything of the set runs (rule B12). */
async function startManually(
  { fleet, ledger, engine, given, rollouts }: Stage,
  { set, action }: Of<'manual'>,
) {
  const index = set % given.sets.length;
  const scaleSet = await fleet.scaleSet(testSetId(nameOf(index)));
  if (scaleSet === null || (await engine.workflows.isOpen(scaleSetRolloutId(scaleSet.id)))) return;
  let generation = 1;
  while (await ledger.rollouts.get(manualRolloutId(scaleSet.id, generation))) generation++;
  const settings = rollouts[0]?.settings;
  if (!settings) return;
  const rollout = await ledger.rollouts.create({
    id: manualRolloutId(scaleSet.id, generation),
    kind: 'manual',
    action,
    target: targetOf(given.sets[index]?.image ?? 'jammy'),
    generation,
    phases: [],
    settings,
    startedBy: 'ada',
    why: 'to see',
    startedAt: engine.now,
  });
  rollouts.push(rollout);
  await engine.start(rollout, scaleSet);
}
