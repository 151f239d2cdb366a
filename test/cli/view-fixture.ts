import { vi } from 'vitest';
import { MINUTE, type Instant } from '../../src/domain/clock.ts';
import type { ImageVersion } from '../../src/domain/image.ts';
import { DEFAULT_ROLLING_POLICY, DEFAULT_SETTINGS } from '../../src/domain/policy.ts';
import type { ScaleSet } from '../../src/domain/scale-set.ts';
import { openLedger } from '../../src/ledger/index.ts';
import type { InstanceOutcome, Reason, TargetStatus } from '../../src/ledger/port.ts';
import { snapshotReader, type RolloutSnapshot, type SnapshotSources } from '../../src/client/view/index.ts';
import { temporaryDatabase } from '../support/database.ts';

export const START: Instant = Date.UTC(2025, 11, 6, 8, 0);
export const SPEED = 600;
export const ROLLOUT = 'rollout/canonical:jammy:22_04-lts/22.4.2/1';

const TARGET: ImageVersion = {
  image: { kind: 'platform', publisher: 'Canonical', offer: 'jammy', sku: '22_04-lts' },
  version: '22.4.2',
};

/** A rollout as the workflows would record it, told step by step on a virtual clock that stands still in between. */
export class Story {
  readonly sources: SnapshotSources;
  readonly snapshot: () => Promise<RolloutSnapshot>;
  readonly end: () => Promise<void>;
  readonly #ledger: ReturnType<typeof openLedger>;
  readonly #epochWall = Date.now();
  #now: Instant = START;

  private constructor(database: Awaited<ReturnType<typeof temporaryDatabase>>) {
    this.#ledger = openLedger(database);
    const clock = { epochVirtual: START, epochWall: this.#epochWall, speed: SPEED };
    const fleet = {
      clock: async () => clock,
      scaleSet: async () => ({ name: 'web', region: 'eastus' }) as ScaleSet,
    };
    this.sources = { fleet, ledger: this.#ledger };
    this.snapshot = snapshotReader(this.sources, ROLLOUT);
    this.end = async () => {
      vi.useRealTimers();
      await database.remove();
    };
  }

  /** A rollout in three phases, which begins at `START`. */
  static async begin(): Promise<Story> {
    const story = new Story(await temporaryDatabase());
    story.at(0);
    await story.#ledger.rollouts.create({
      id: ROLLOUT,
      kind: 'platform',
      target: TARGET,
      generation: 1,
      phases: [
        { name: 'canary', regions: ['uksouth'] },
        { name: 'early', regions: ['eastus', 'westeurope'] },
        {
          name: 'broad',
          regions: ['westus', 'northeurope', 'japaneast', 'brazilsouth', 'swedencentral', 'eastasia'],
        },
      ],
      settings: { ...DEFAULT_SETTINGS, failureTolerancePercent: 2 },
      startedBy: 'ana',
      startedAt: START,
    });
    return story;
  }

  get ledger() {
    return this.#ledger;
  }

  /** Moves the clock to so many virtual minutes after the start; only `Date` is replaced. */
  at(minutes: number): Instant {
    vi.useFakeTimers({ toFake: ['Date'], now: this.#epochWall + (minutes * MINUTE) / SPEED });
    this.#now = START + minutes * MINUTE;
    return this.#now;
  }

  async openPhase(phase: number, regions: string[], minutes: number, round = 1): Promise<void> {
    await this.#ledger.phases.open({
      rolloutId: ROLLOUT,
      phase,
      round,
      at: this.at(minutes),
      target: TARGET,
      regions,
    });
  }

  async target(
    name: string,
    place: { region: string; phase: number; status?: TargetStatus; triggerAt?: number; reason?: Reason },
  ): Promise<void> {
    const { region, phase, status = 'waiting', triggerAt = 0, reason = null } = place;
    await this.#ledger.targets.add([
      {
        rolloutId: ROLLOUT,
        scaleSetId: idOf(name),
        scaleSetName: name,
        region,
        phase,
        round: 1,
        status,
        seenAt: this.#now,
        triggerAt: START + triggerAt * MINUTE,
        attemptId: null,
        reason,
      },
    ]);
  }

  /** A set's attempt with its first batch open, at this time. */
  async attempt(
    name: string,
    minutes: number,
    batch: { ids: string[]; pending: number; zone?: string | null },
  ) {
    const at = this.at(minutes);
    const { attempts, targets } = this.#ledger;
    const request = {
      scaleSetId: idOf(name),
      rolloutId: ROLLOUT,
      workflowId: `scale-set/${name}`,
      runId: `run ${at}`,
      kind: 'osUpgrade' as const,
      region: 'eastus',
      startedBy: 'Platform' as const,
      target: TARGET,
      policy: DEFAULT_ROLLING_POLICY,
      restoresOnFailure: true,
      healthTimeout: 300_000,
      at,
    };
    const { attempt } = await attempts.open(request, async () => false);
    await targets.update({ rolloutId: ROLLOUT, scaleSetId: idOf(name) }, { status: 'upgrading' });
    if (batch.ids.length > 0) {
      const zone = batch.zone ?? null;
      const instances = batch.ids.map((instanceId) => ({
        instanceId,
        zone,
        updateDomain: 0,
        from: null,
        wasHealthy: true,
      }));
      const progress = progressOf(0, 0, batch.ids.length, batch.pending);
      await attempts.openBatch(
        attempt,
        {
          number: 1,
          zone,
          updateDomain: 0,
          observed: { instances: 10, unhealthy: 0, upgraded: 0, upgradedUnhealthy: 0, pending: {} },
          startedAt: at,
        },
        instances,
        progress,
      );
    }
    return attempt;
  }

  /** Ends the first batch of an attempt, and with `status` the attempt and its target. */
  async close(
    attempt: Awaited<ReturnType<Story['attempt']>>,
    minutes: number,
    outcomes: Record<string, InstanceOutcome>,
    status?: 'Completed' | 'Faulted',
    reason: Reason | null = null,
  ): Promise<void> {
    const at = this.at(minutes);
    const ended = Object.entries(outcomes).map(([instanceId, outcome]) => ({
      instanceId,
      outcome,
      error: outcome === 'upgraded' ? null : 'HealthTimeout: not healthy within 300 s.',
    }));
    await this.#ledger.attempts.closeBatch(attempt, 1, ended, at);
    if (!status) return;
    const good = ended.filter(({ outcome }) => outcome === 'upgraded').length;
    const progress = progressOf(good, ended.length - good, 0, 0);
    await this.#ledger.attempts.close(attempt, status, reason, progress, at);
    await this.#ledger.targets.update(
      { rolloutId: ROLLOUT, scaleSetId: attempt.scaleSetId },
      { status: status === 'Completed' ? 'upgraded' : 'stopped', reason, attemptId: attempt.id },
    );
  }

  /** The canary phase, from its start to its verdict after 200 minutes. */
  async canary(): Promise<void> {
    const key = { rolloutId: ROLLOUT, phase: 1, round: 1 };
    await this.openPhase(1, ['uksouth'], 1);
    await this.target('canary-1', { region: 'uksouth', phase: 1, triggerAt: 40 });
    const attempt = await this.attempt('canary-1', 40, { ids: ['0', '1'], pending: 0 });
    await this.close(attempt, 60, { '0': 'upgraded', '1': 'upgraded' }, 'Completed');
    await this.#ledger.phases.bake(key, this.at(61), START + 121 * MINUTE);
    await this.#ledger.phases.judge(
      key,
      { eligible: 2, succeeded: 2, failed: 0, failures: [] },
      this.at(122),
    );
  }
}

export function idOf(name: string): string {
  return `/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/${name}`;
}

function progressOf(good: number, bad: number, inProgress: number, pending: number) {
  return {
    successfulInstanceCount: good,
    failedInstanceCount: bad,
    inProgressInstanceCount: inProgress,
    pendingInstanceCount: pending,
  };
}
