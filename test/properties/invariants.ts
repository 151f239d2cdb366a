import { auditJournal } from '../../src/audit/index.ts';
import { HOUR, isoTime } from '../../src/domain/clock.ts';
import { geoPairs } from '../../src/domain/region.ts';
import { isSpared } from '../../src/domain/operation.ts';
import type { Instance } from '../../src/domain/scale-set.ts';
import type { Attempt } from '../../src/ledger/port.ts';
import type { Step } from '../../src/rehearsal/runtime.ts';
import { NEW_VERSION, testSetId } from '../support/fleet.ts';
import { isFit, isMatched } from './fabric.ts';
import { nameOf } from './fleet.ts';
import { gateFaults } from './gates.ts';
import type { Stage } from './happenings.ts';
import { Queues } from './queues.ts';

type LookStep = Extract<Step, { activity: 'lookAtScaleSet' }>;

/** Activities that ask for a zone, or for the turn of a region. */
const ASKS: readonly Step['activity'][] = ['lookAtScaleSet', 'lookAtRegion'];

/**
 * What has to hold whatever happens. Written without the planner's own functions: what is asked for here is asked of the
 * fleet, at the moment that counts.
 */
export class Invariants {
  readonly #stage: Stage;
  readonly #broken: string[] = [];
  /** The OS disk of each instance that a batch took, as it was before: by attempt and instance. */
  readonly #diskBefore = new Map<string, string | undefined>();
  readonly #seenBatches = new Set<string>();
  readonly #queues: Queues;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#queues = new Queues(stage.ledger);
  }

  async begin(): Promise<void> {
    const { given, fleet, engine } = this.#stage;
    for (const [i, { stoppedInstances }] of given.sets.entries()) {
      if (stoppedInstances.length === 0) continue;
      const ids = stoppedInstances.map(String);
      await fleet.changeInstances(testSetId(nameOf(i)), ids, { power: 'stopped' }, engine.now);
    }
  }

  async afterStep(step: Step): Promise<void> {
    if (step.activity === 'lookAtScaleSet') await this.#afterLook(step);
    if (ASKS.includes(step.activity)) {
      for (const fault of await this.#queues.look()) this.#claim(false, `${fault} (D1, D4)`);
    }
    if (step.activity === 'closeBatch' || step.activity === 'closeRollBack') {
      await this.#restoredDisksAreTheOldOnes(step.input.attempt.id, step.input.scaleSetId, step.at);
    }
  }

  async end(): Promise<void> {
    await this.#everyInstanceHasADisk();
    await this.#quarantineHoldsEveryFailedRestore();
    await this.#whatIsNotEligibleWasNotTouched();
    await this.#nothingIsLeftOver();
    for (const fault of await gateFaults(this.#stage)) this.#claim(false, fault);
    await this.#theJournalProvesIt();
    if (this.#broken.length > 0) throw new Error(`Broken:\n  ${this.#broken.join('\n  ')}`);
  }

  #claim(holds: boolean, otherwise: string): void {
    if (!holds && this.#broken.length < 20) {
      this.#broken.push(`${isoTime(this.#stage.engine.now)} ${otherwise}`);
    }
  }

  async #afterLook({ at, input, result }: LookStep): Promise<void> {
    const attempt = await this.#stage.ledger.attempts.get(result.attempt.id);
    if (result.kind === 'conflict' || !attempt) return;
    if (result.kind === 'batch') await this.#batchIsRight(attempt, result, at);
    if (input.scaleSetId === attempt.scaleSetId) await this.#countsAddUp(attempt, at);
  }

  /** Rules B1 to B3, B7, B8, B10: at the moment at which a batch is opened, before anything is done to it. */
  async #batchIsRight(
    attempt: Attempt,
    { batch: number, instanceIds }: Extract<LookStep['result'], { kind: 'batch' }>,
    at: number,
  ): Promise<void> {
    const { ledger, fleet } = this.#stage;
    const key = `${attempt.id} ${number}`;
    if (this.#seenBatches.has(key)) return;
    this.#seenBatches.add(key);
    const batch = (await ledger.attempts.batches(attempt.id)).find((one) => one.number === number);
    // Found by a later look than the one that recorded it: much may have happened since.
    if (batch?.startedAt !== at) return;
    const set = await fleet.instances(attempt.scaleSetId, at);
    const members = set.filter((one) => instanceIds.includes(one.instanceId));
    const where = `${attempt.kind} ${nameIn(attempt)} batch ${number}`;
    const quarantined = await ledger.quarantine.list({ scaleSetId: attempt.scaleSetId });
    const inQuarantine = new Set(quarantined.map((one) => one.instanceId));
    for (const member of members) {
      this.#diskBefore.set(`${attempt.id} ${member.instanceId}`, member.osDisk?.id);
      this.#claim(!member.protectFromScaleSetActions, `${where}: ${member.instanceId} is protected`);
      this.#claim(isUp(member), `${where}: ${member.instanceId} is ${member.powerState} (B3)`);
      if (attempt.kind !== 'repair')
        this.#claim(!inQuarantine.has(member.instanceId), `${where}: ${member.instanceId} is quarantined`);
      if (attempt.kind === 'osUpgrade')
        this.#claim(
          member.osDisk?.source.version !== NEW_VERSION,
          `${where}: ${member.instanceId} has it (B10)`,
        );
    }
    await this.#serviceFabricIsFit(attempt, members, where);
    if (attempt.kind !== 'modelUpdate') this.#sizeAndPlaceAreRight(attempt, set.length, members, where);
    if (attempt.kind !== 'modelUpdate' && attempt.kind !== 'repair') {
      await this.#thresholdsAreKept(attempt, set, number, where);
    }
  }

  #sizeAndPlaceAreRight(attempt: Attempt, size: number, members: readonly Instance[], where: string): void {
    const { maxBatchInstancePercent, enableCrossZoneUpgrade } = attempt.policy;
    const limit = Math.max(1, Math.floor((size * maxBatchInstancePercent) / 100));
    this.#claim(members.length <= limit, `${where}: ${members.length} of ${size} instances (B2)`);
    const zones = new Set(members.map((one) => one.zone));
    const domains = new Set(members.map((one) => one.updateDomain));
    this.#claim(zones.size <= 1 || enableCrossZoneUpgrade, `${where}: zones ${[...zones].join()} (B3)`);
    this.#claim(domains.size <= 1, `${where}: update domains ${[...domains].join()} (B3)`);
  }

  /** Rule C5: whoever began it, and whatever has changed since. An update domain at a time, whatever is done to it. */
  async #serviceFabricIsFit(attempt: Attempt, members: readonly Instance[], where: string): Promise<void> {
    const { given, fleet } = this.#stage;
    const set = given.sets.find((_, i) => attempt.scaleSetId === testSetId(nameOf(i)));
    if (!set?.fabric) return;
    const places = new Set(members.map((one) => `${one.zone}/${one.updateDomain}`));
    this.#claim(places.size === 1, `${where}: Service Fabric in ${[...places].join()} (C5)`);
    if (attempt.kind !== 'osUpgrade') return;
    this.#claim(isFit(set), `${where}: not what Service Fabric asks for (C5)`);
    const isNow = await isMatched(fleet, set.fabric, nameIn(attempt));
    this.#claim(isNow, `${where}: its durability is mismatched (C5)`);
  }

  async #thresholdsAreKept(attempt: Attempt, set: readonly Instance[], number: number, where: string) {
    const { policy } = attempt;
    const sick = set.filter((one) => !isWell(one)).length;
    this.#claim(
      sick * 100 <= set.length * policy.maxUnhealthyInstancePercent,
      `${where}: ${sick} of ${set.length} were unhealthy (B1, B8)`,
    );
    const byId = new Map(set.map((one) => [one.instanceId, one]));
    const before = (await this.#stage.ledger.attempts.instances(attempt.id)).filter(
      (one) => one.batch < number && byId.has(one.instanceId) && !isSpared(one.error),
    );
    const bad = before.filter(
      (one) => one.outcome !== 'upgraded' || !isWell(byId.get(one.instanceId) as Instance),
    );
    this.#claim(
      bad.length * 100 <= before.length * policy.maxUnhealthyUpgradedInstancePercent,
      `${where}: ${bad.length} of ${before.length} upgraded ones were unhealthy (B7)`,
    );
  }

  /** Azure's counts are of the instances that the attempt is about: those taken and those still to be taken. */
  async #countsAddUp(attempt: Attempt, at: number): Promise<void> {
    if (attempt.kind !== 'osUpgrade' || attempt.status !== 'RollingForward') return;
    const { ledger, fleet } = this.#stage;
    const [taken, set, scaleSet, quarantined] = await Promise.all([
      ledger.attempts.instances(attempt.id),
      fleet.instances(attempt.scaleSetId, at),
      fleet.scaleSet(attempt.scaleSetId),
      ledger.quarantine.list({ scaleSetId: attempt.scaleSetId }),
    ]);
    if (!scaleSet) return;
    const has = new Set(taken.map((one) => one.instanceId));
    const spared = new Set(taken.filter((one) => isSpared(one.error)).map((one) => one.instanceId));
    const kept = new Set(quarantined.map((one) => one.instanceId));
    const about = set
      .filter((one) => !spared.has(one.instanceId))
      .filter(
        (one) =>
          has.has(one.instanceId) ||
          (one.osDisk?.source.version !== NEW_VERSION &&
            !one.protectFromScaleSetActions &&
            !kept.has(one.instanceId) &&
            isUp(one) &&
            (scaleSet.upgradePolicy.mode !== 'Manual' || one.latestModelApplied)),
      );
    const result = attempt.progress;
    const sum = Object.values(result).reduce((a: number, b: number) => a + b, 0);
    // The record is of the last batch's opening; between two batches the answers of looks count, see `progressOf`.
    const open = (await ledger.attempts.batches(attempt.id)).at(-1);
    if (open?.endedAt !== null || open.startedAt !== at) return;
    this.#claim(
      sum === about.length,
      `${nameIn(attempt)}: counts ${JSON.stringify(result)} of ${about.length} instances`,
    );
  }

  async #restoredDisksAreTheOldOnes(attemptId: string, scaleSetId: string, at: number): Promise<void> {
    const { ledger, fleet } = this.#stage;
    const restored = (await ledger.attempts.instances(attemptId)).filter((one) => one.outcome === 'restored');
    const set = await fleet.instances(scaleSetId, at);
    for (const { instanceId } of restored) {
      const before = this.#diskBefore.get(`${attemptId} ${instanceId}`);
      const now = set.find((one) => one.instanceId === instanceId)?.osDisk?.id;
      if (before === undefined || now === undefined) continue;
      this.#claim(now === before, `${scaleSetId}/${instanceId}: restored to ${now}, had ${before} (B6)`);
    }
  }

  async #everyInstanceHasADisk(): Promise<void> {
    const { fleet, engine } = this.#stage;
    for (const { id } of await fleet.scaleSets()) {
      // A manual swap may have begun at the very end, by a workflow that was terminated.
      for (const { instanceId, osDisk } of await fleet.instances(id, engine.now + HOUR)) {
        this.#claim(osDisk !== null, `${id}/${instanceId} has no OS disk (B4)`);
      }
    }
  }

  async #quarantineHoldsEveryFailedRestore(): Promise<void> {
    const { ledger, fleet, engine } = this.#stage;
    const listed = new Set(
      (await ledger.quarantine.list()).map((one) => `${one.scaleSetId}/${one.instanceId}`),
    );
    const newestFirst = await ledger.attempts.listOf({});
    const settled = new Set<string>();
    for (const attempt of newestFirst) {
      const there = new Set(
        (await fleet.instances(attempt.scaleSetId, engine.now)).map((one) => one.instanceId),
      );
      for (const { instanceId, outcome } of await ledger.attempts.instances(attempt.id)) {
        const key = `${attempt.scaleSetId}/${instanceId}`;
        if (outcome === 'restoreFailed' && there.has(instanceId) && !settled.has(key))
          this.#claim(listed.has(key), `${key}: its restore failed, and it is not in quarantine`);
        if (attempt.kind === 'repair') settled.add(key);
      }
    }
  }

  /** Opted out, not eligible, protected or stopped all along: nothing was ever done to them (rules C1, C4, C5). */
  async #whatIsNotEligibleWasNotTouched(): Promise<void> {
    const { given, ledger } = this.#stage;
    const changed = new Set(
      given.happenings.flatMap((one) =>
        ['protect', 'unprotect', 'stop', 'start', 'scale', 'deleteInstance'].includes(one.do) ? [one.do] : [],
      ),
    );
    const byHand = new Set(
      given.happenings.flatMap((one) => (one.do === 'manual' ? [one.set % given.sets.length] : [])),
    );
    for (const entry of await ledger.journal.read({})) {
      const index = given.sets.findIndex((_, i) => entry.scaleSetId === testSetId(nameOf(i)));
      const set = given.sets[index];
      if (!set) continue;
      const place = `${nameOf(index)}/${entry.instanceId}: ${entry.operation}`;
      if (!byHand.has(index)) {
        this.#claim(set.optedIn, `${place}, though it did not opt in (C1)`);
        this.#claim(isFit(set), `${place}, though it is not eligible (C4, C5)`);
      }
      if (entry.instanceId === '' || changed.size > 0) continue;
      const id = Number(entry.instanceId);
      this.#claim(!set.protectedInstances.includes(id), `${place}, though it is protected`);
      this.#claim(!set.stoppedInstances.includes(id), `${place}, though it is stopped (B3)`);
    }
  }

  async #nothingIsLeftOver(): Promise<void> {
    const { ledger, rollouts, wasTerminated } = this.#stage;
    this.#claim((await ledger.attempts.listOpen()).length === 0, 'an attempt is open');
    if (wasTerminated) return;
    const claims = await ledger.claims.list();
    this.#claim(
      claims.length === 0,
      `claims are left: ${claims.map((one) => `${one.group} ${one.holder}`).join()}`,
    );
    for (const { id } of rollouts) {
      const rollout = await ledger.rollouts.get(id);
      this.#claim(rollout?.endedAt !== null, `${id} is still ${rollout?.status}`);
    }
  }

  async #theJournalProvesIt(): Promise<void> {
    const { ledger, fleet } = this.#stage;
    const { violations, counts } = auditJournal(
      await ledger.journal.read({}),
      geoPairs(await fleet.regions()),
    );
    this.#claim(counts.leftOut === 0, `${counts.leftOut} lines of the journal are of no attempt`);
    for (const { rule, scaleSetId, instanceId, message, at } of violations) {
      const where = [scaleSetId?.split('/').at(-1), instanceId].filter(Boolean).join('/');
      this.#claim(false, `audit ${rule} ${where} at ${at === null ? '-' : isoTime(at)}: ${message}`);
    }
  }
}

/** By the words of rule B5, without the domain's own function. */
function isWell({ powerState, provisioningState, osDisk, extensions, applicationHealth }: Instance): boolean {
  return (
    powerState === 'running' &&
    provisioningState === 'Succeeded' &&
    osDisk !== null &&
    extensions.every(({ state }) => state === 'succeeded') &&
    ['healthy', 'none'].includes(applicationHealth)
  );
}

function isUp({ powerState }: Instance): boolean {
  return powerState === 'running' || powerState === 'starting';
}

function nameIn({ scaleSetId }: Attempt): string {
  return scaleSetId.split('/').at(-1) ?? scaleSetId;
}
