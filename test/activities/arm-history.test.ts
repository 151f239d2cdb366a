import { describe, expect, it } from 'vitest';
import {
  KINDS_IN_HISTORY,
  KINDS_OF_ROLLING_UPGRADES,
  armTime,
  attemptsOfHistory,
  historyItem,
  latestUpgrade,
  type HistoryItem,
} from '../../src/arm/history.ts';
import { DAY, MINUTE } from '../../src/domain/clock.ts';
import { DEFAULT_ROLLING_POLICY } from '../../src/domain/policy.ts';
import type { Attempt, AttemptInstance } from '../../src/ledger/port.ts';

const STARTED = Date.parse('2026-01-05T10:00:00.123Z');

function attempt(change: Partial<Attempt> = {}): Attempt {
  return {
    id: 'abc-1',
    scaleSetId: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/web',
    rolloutId: 'rollout-1',
    number: 1,
    fence: 1,
    workflowId: 'scale-set/web',
    kind: 'osUpgrade',
    region: 'westeurope',
    startedBy: 'Platform',
    target: {
      image: {
        kind: 'platform',
        publisher: 'MicrosoftWindowsServer',
        offer: 'WindowsServer',
        sku: '2016-Datacenter',
      },
      version: '2016.127.20180613',
    },
    policy: DEFAULT_ROLLING_POLICY,
    restoresOnFailure: true,
    warnings: [],
    status: 'RollingForward',
    reason: null,
    progress: {
      successfulInstanceCount: 16,
      failedInstanceCount: 0,
      inProgressInstanceCount: 4,
      pendingInstanceCount: 0,
    },
    startedAt: STARTED,
    endedAt: null,
    ...change,
  };
}

function instance(
  instanceId: string,
  outcome: AttemptInstance['outcome'],
  error: string | null = null,
  restoreError: string | null = null,
): AttemptInstance {
  return {
    instanceId,
    outcome,
    error,
    restoreError,
    batch: 1,
    zone: null,
    updateDomain: 0,
    from: null,
    wasHealthy: true,
  };
}

describe('the OS upgrade history (rule E1)', () => {
  it('has the shape of the article while an upgrade runs', () => {
    expect(historyItem(attempt(), [instance('0', 'upgraded')], 'westeurope')).toEqual({
      properties: {
        runningStatus: { code: 'RollingForward', startTime: '2026-01-05T10:00:00.1230000+00:00' },
        progress: {
          successfulInstanceCount: 16,
          failedInstanceCount: 0,
          inProgressInstanceCount: 4,
          pendingInstanceCount: 0,
        },
        startedBy: 'Platform',
        targetImageReference: {
          publisher: 'MicrosoftWindowsServer',
          offer: 'WindowsServer',
          sku: '2016-Datacenter',
          version: '2016.127.20180613',
        },
        rollbackInfo: { successfullyRolledbackInstanceCount: 0, failedRolledbackInstanceCount: 0 },
      },
      type: 'Microsoft.Compute/virtualMachineScaleSets/rollingUpgrades',
      location: 'westeurope',
    } satisfies HistoryItem);
  });

  it('tells the end by both of its names, and why it was one', () => {
    const endedAt = STARTED + 5 * MINUTE;
    const reason = {
      code: 'MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade',
      message: 'too many',
    };
    const { properties } = historyItem(attempt({ status: 'Faulted', endedAt, reason }), [], 'westeurope');
    expect(properties.runningStatus).toEqual({
      code: 'Faulted',
      startTime: armTime(STARTED),
      completedTime: armTime(endedAt),
      endTime: armTime(endedAt),
    });
    expect(properties.error).toEqual(reason);
  });

  it('counts restored instances, and says why the first one that failed to be restored did', () => {
    const instances = [
      instance('0', 'upgraded'),
      instance('1', 'restored', 'NotHealthyInTime: late'),
      instance('2', 'restored', 'NotHealthyInTime: late'),
      instance('3', 'restoreFailed', 'NotHealthyInTime: late', 'NoPreviousOsDisk: None is kept.'),
      instance('4', 'left'),
      instance('5', null),
    ];
    expect(historyItem(attempt(), instances, 'westeurope').properties.rollbackInfo).toEqual({
      successfullyRolledbackInstanceCount: 2,
      failedRolledbackInstanceCount: 1,
      rollbackError: {
        code: 'NoPreviousOsDisk',
        message: 'Instance 3: NoPreviousOsDisk: None is kept. It had failed before: NotHealthyInTime: late',
      },
    });
  });

  it("names a gallery's version by its id alone", () => {
    const id = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/a/images/web';
    const target = { image: { kind: 'gallery' as const, id }, version: '1.2.3' };
    expect(historyItem(attempt({ target }), [], 'westeurope').properties.targetImageReference).toEqual({
      id: `${id}/versions/1.2.3`,
    });
  });

  it('goes back five attempts and two months, by the day of the month', () => {
    const now = Date.parse('2026-04-30T12:00:00Z');
    const edge = Date.parse('2026-02-28T12:00:00Z');
    const begunAt = (...starts: number[]) => starts.map((startedAt) => attempt({ startedAt }));
    const shown = (attempts: Attempt[]) => attemptsOfHistory(attempts, now).map(({ startedAt }) => startedAt);
    expect(shown(begunAt(now, edge, edge - 1))).toEqual([now, edge]);
    const six = [0, 1, 2, 3, 4, 5].map((days) => now - days * DAY);
    expect(shown(begunAt(...six))).toEqual(six.slice(0, 5));
  });

  it('tells of OS upgrades and reverts only: a change of the model is no OS upgrade (B14)', () => {
    const kinds = ['osUpgrade', 'modelUpgrade', 'modelUpdate', 'revert', 'repair'] as const;
    const all = kinds.map((kind) => attempt({ kind }));
    expect(attemptsOfHistory(all, STARTED).map(({ kind }) => kind)).toEqual(['osUpgrade', 'revert']);
    expect(KINDS_IN_HISTORY).toEqual(['osUpgrade', 'revert']);
  });
});

describe('the latest rolling upgrade (rule E2)', () => {
  it('is whatever goes batch by batch by the policy, a rolling upgrade to the model as well (B14)', () => {
    expect(KINDS_OF_ROLLING_UPGRADES.toSorted()).toEqual(['modelUpgrade', 'osUpgrade', 'revert']);
  });

  it('shows policy, progress and the last action, without id and name', () => {
    const policy = { ...DEFAULT_ROLLING_POLICY, pauseTimeBetweenBatches: 90_000 };
    expect(latestUpgrade(attempt({ policy }), 'westeurope')).toEqual({
      properties: {
        policy: { ...DEFAULT_ROLLING_POLICY, pauseTimeBetweenBatches: 'PT1M30S' },
        runningStatus: {
          code: 'RollingForward',
          startTime: armTime(STARTED),
          lastAction: 'Start',
          lastActionTime: armTime(STARTED),
        },
        progress: attempt().progress,
      },
      type: 'Microsoft.Compute/virtualMachineScaleSets/rollingUpgrades',
      location: 'westeurope',
    });
  });

  it('of a cancelled one is the cancellation', () => {
    const endedAt = STARTED + MINUTE;
    const reason = { code: 'Superseded', message: 'a newer version is being rolled out' };
    const { properties } = latestUpgrade(attempt({ status: 'Cancelled', endedAt, reason }), 'westeurope');
    expect(properties.runningStatus).toMatchObject({
      lastAction: 'Cancel',
      lastActionTime: armTime(endedAt),
    });
    expect(properties.error).toEqual(reason);
  });
});
