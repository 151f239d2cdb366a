import { auditJournal, type Audit } from '../../audit/index.ts';
import type { Database } from '../../database/database.ts';
import { virtualAt, type Instant } from '../../domain/clock.ts';
import { geoPairs } from '../../domain/region.ts';
import type { ScaleSet } from '../../domain/scale-set.ts';
import type { Fault } from '../../fleet/index.ts';
import type { Reason, Rollout, RolloutStatus } from '../../ledger/port.ts';
import { Rehearsal } from '../../rehearsal/rehearsal.ts';
import { Timeline, type TimelineLine } from '../../rehearsal/timeline/timeline.ts';
import { openWorld, type World } from '../../rehearsal/world.ts';
import { ClientError, UsageError } from '../errors.ts';
import { asUsage } from '../fleet-setup.ts';
import { carryOut, type Deed } from './actions.ts';
import { checkNames } from './check-names.ts';
import { begin, type RehearsalContext } from './context.ts';
import { differencesOf, type Difference } from './differences.ts';
import { resultsOf, type SetResult } from './results.ts';
import { resumeRollouts, resumeSets } from './resume.ts';
import { faultLine, type FaultLine } from './fault-lines.ts';
import { faultsFrom, type Scenario, type ScenarioAction } from './scenario.ts';
import { rehearsalTemporal } from './temporal.ts';

/** How the rollout stood when the rehearsal was over; `Refused`: it could not be started. */
export type Outcome = RolloutStatus | 'Refused';

/** What a scenario's people did, in the order of the file. */
export interface RehearsedAction {
  index: number;
  /** The code of the refusal that the scenario expects. */
  expectedRefusal: string | null;
  refusal: Reason | null;
}

/** What would happen. Instants are virtual. */
export interface Rehearsed {
  name: string;
  description: string;
  /** On a copy of the fleet that there is; else on the scenario's own. */
  onCopy: boolean;
  outcome: Outcome;
  reason: Reason | null;
  /** Null when none could be started. */
  rolloutId: string | null;
  startedAt: Instant;
  /** When the rollout ended, or the rehearsal was over. */
  endedAt: Instant;
  /** Everything that began meanwhile, in order. */
  rollouts: Rollout[];
  scaleSets: SetResult[];
  actions: RehearsedAction[];
  timeline: TimelineLine[];
  /** Of the rehearsal's whole journal. */
  audit: Audit;
  /** Null when the scenario expects nothing. */
  differences: Difference[] | null;
}

/**
 * Rolls out as a scenario says, in virtual time, on its own fleet or on a copy of one; the rollout and whatever people do meanwhile go
 * through the same code as in life, and need no Temporal server.
 * @param source where the fleet to copy is; it is only read
 * @throws UsageError for a scenario that names what is not there
 */
export async function rehearse(scenario: Scenario, source?: Database): Promise<Rehearsed> {
  const world = await openWorld(scenario.fleet === null ? source : undefined);
  try {
    return await new Stage(scenario, world, await beginOfTime(scenario, world)).play();
  } finally {
    await world.close();
  }
}

/** Fills the scenario's own fleet, if it has one. @returns when the rehearsal begins */
async function beginOfTime({ fleet: own }: Scenario, { fleet }: World): Promise<Instant> {
  const wall = Date.now();
  if (own === null) return virtualAt(await fleet.clock(), wall);
  return (await asUsage(() => fleet.seed(own, wall))).epochVirtual;
}

/** One rehearsal: where it is played, and what it has brought so far. */
class Stage {
  readonly #start: Instant;
  readonly #timeline: Timeline;
  readonly #context: RehearsalContext;
  readonly #actions: RehearsedAction[] = [];
  /** What is still to go wrong, unless something else does instead. */
  #faults: FaultLine[] = [];
  #refusal: Reason | null = null;

  constructor(scenario: Scenario, { database, fleet, ledger }: World, start: Instant) {
    const timeline = new Timeline(ledger);
    const rehearsal = new Rehearsal({
      ...{ fleet, ledger, start, limit: scenario.limit },
      onStep: (step) => timeline.onStep(step),
      onRetry: (retry) => timeline.onRetry(retry),
    });
    const temporal = rehearsalTemporal(rehearsal);
    this.#start = start;
    this.#timeline = timeline;
    this.#context = {
      ...{ database, ledger, rehearsal, scenario, fleet: rehearsal.fleet, rolloutId: null },
      temporal: async () => temporal,
    };
  }

  async play(): Promise<Rehearsed> {
    const context = this.#context;
    await checkNames(context);
    const { faults, label } = context.scenario;
    const parsed = faultsFrom(this.#start, faults, `The faults of ${label}`);
    await context.fleet.addFaults(parsed);
    this.#foretell(parsed);
    const scaleSets = await context.fleet.scaleSets();
    await resumeSets(context);
    await this.#begin();
    await resumeRollouts(context);
    for (const [index, action] of context.scenario.actions.entries()) {
      context.rehearsal.at(this.#start + action.at, () => this.#act(index, action));
    }
    await context.rehearsal.run();
    return this.#report(scaleSets);
  }

  /** Tells of faults: now, or when they show. */
  #foretell(faults: readonly Fault[]): void {
    const { now } = this.#context.rehearsal;
    const lines = faults.map((fault) => faultLine(fault, now));
    for (const { at, what } of lines) if (at <= now) this.#timeline.note(at, 'fleet', what);
    this.#faults = [...this.#faults.filter(({ at }) => at <= now), ...lines.filter(({ at }) => at > now)];
  }

  async #begin(): Promise<void> {
    const by = { who: 'operator', why: `rehearsal: ${this.#context.scenario.name}` };
    this.#refusal = await this.#tell({ do: 'start', ...by }, async () => {
      return { where: by.who, what: await begin(this.#context, by) };
    });
  }

  async #act(index: number, action: ScenarioAction): Promise<void> {
    const { label } = this.#context.scenario;
    try {
      const refusal = await this.#tell(action, () => carryOut(this.#context, action));
      this.#actions.push({ index, expectedRefusal: action.refused ?? null, refusal });
      if (action.do === 'faults') {
        this.#foretell(faultsFrom(this.#context.rehearsal.now, action.faults, `The faults of ${label}`));
      }
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new UsageError(`The ${label}, actions[${index}] (${action.do}): ${error.message}`);
    }
  }

  /** Does something, and tells of it. @returns why it was refused, if it was */
  async #tell(wanted: { do: string; who?: string }, act: () => Promise<Deed>): Promise<Reason | null> {
    const { now } = this.#context.rehearsal;
    try {
      const deed = await act();
      this.#timeline.note(now, deed.where, deed.what);
      return null;
    } catch (error) {
      if (!(error instanceof ClientError) || error instanceof UsageError) throw error;
      const { code, message } = error;
      const what = `wants to ${wanted.do}, which is refused: ${message}`;
      this.#timeline.note(now, wanted.who ?? 'fleet', what);
      return { code, message };
    }
  }

  async #report(scaleSets: readonly ScaleSet[]): Promise<Rehearsed> {
    const { fleet, ledger, rehearsal, scenario, rolloutId } = this.#context;
    for (const { id } of await fleet.scaleSets()) await fleet.settle(id, rehearsal.now);
    await this.#timeline.catchUp();
    for (const { at, what } of this.#faults) {
      if (at <= rehearsal.now) this.#timeline.note(at, 'fleet', what);
    }
    const rollout = rolloutId === null ? null : await ledger.rollouts.get(rolloutId);
    const ended = {
      outcome: rollout?.status ?? ('Refused' as const),
      reason: rollout === null ? this.#refusal : rollout.reason,
      scaleSets: await resultsOf(this.#context, scaleSets, this.#start),
      actions: this.#actions.toSorted((a, b) => a.index - b.index),
    };
    return {
      ...ended,
      name: scenario.name,
      description: scenario.description,
      onCopy: scenario.fleet === null,
      rolloutId,
      startedAt: this.#start,
      endedAt: rollout?.endedAt ?? rehearsal.now,
      rollouts: (await ledger.rollouts.list())
        .filter(({ startedAt }) => startedAt >= this.#start)
        .toSorted((a, b) => a.startedAt - b.startedAt),
      timeline: this.#timeline.lines(),
      audit: auditJournal(await ledger.journal.read({}), geoPairs(await fleet.regions())),
      differences: scenario.expect === undefined ? null : differencesOf(scenario.expect, ended),
    };
  }
}
