import type { ClaimRequest } from '../../src/domain/claims.ts';
import type { Image, ImageVersion } from '../../src/domain/image.ts';
import type { JournalEntry } from '../../src/domain/operation.ts';
import { DEFAULT_ROLLING_POLICY, DEFAULT_SETTINGS } from '../../src/domain/policy.ts';
import { openDatabase } from '../../src/database/database.ts';
import { openLedger } from '../../src/ledger/index.ts';
import type { Attempts, Ledger, Progress, Rollouts, Target } from '../../src/ledger/port.ts';
import type { OpenDatabase } from '../support/engines.ts';

export const UBUNTU: Image = { kind: 'platform', publisher: 'Canonical', offer: 'Ubuntu', sku: '22_04-LTS' };

export function version(text: string, image: Image = UBUNTU): ImageVersion {
  return { image, version: text };
}

export function setId(name: string): string {
  return `/subscriptions/S/resourceGroups/RG/providers/Microsoft.Compute/virtualMachineScaleSets/${name}`;
}

export function aRollout(change: Partial<Parameters<Rollouts['create']>[0]> = {}) {
  return {
    id: 'Image/Ubuntu/1.0.0/1',
    kind: 'platform' as const,
    target: version('1.0.0'),
    generation: 1,
    phases: [{ name: 'canary', regions: ['eastus2euap'] }],
    settings: DEFAULT_SETTINGS,
    startedBy: 'schedule',
    startedAt: 1_000,
    ...change,
  };
}

export function aTarget(change: Partial<Target> = {}): Target {
  return {
    rolloutId: 'R1',
    scaleSetId: setId('Web'),
    scaleSetName: 'Web',
    region: 'westeurope',
    phase: 1,
    round: 1,
    status: 'waiting',
    seenAt: 1_000,
    triggerAt: 2_000,
    attemptId: null,
    reason: null,
    ...change,
  };
}

export type OpenRequest = Parameters<Attempts['open']>[0];

export function anAttempt(change: Partial<OpenRequest> = {}): OpenRequest {
  return {
    scaleSetId: setId('Web'),
    rolloutId: 'R1',
    workflowId: 'scale-set/web',
    runId: 'run-1',
    kind: 'osUpgrade',
    region: 'eastus',
    startedBy: 'Platform',
    target: version('1.0.0'),
    policy: DEFAULT_ROLLING_POLICY,
    restoresOnFailure: true,
    healthTimeout: 300_000,
    at: 1_000,
    ...change,
  };
}

export function progress(successful: number, failed: number, inProgress: number, pending: number): Progress {
  return {
    successfulInstanceCount: successful,
    failedInstanceCount: failed,
    inProgressInstanceCount: inProgress,
    pendingInstanceCount: pending,
  };
}

export function total(counts: Progress): number {
  return Object.values(counts).reduce((sum: number, count: number) => sum + count, 0);
}

/** A claim on zones: `zones('set-a', '1', '2')` takes either. */
export function zones(holder: string, ...accepts: string[]): ClaimRequest {
  return {
    group: 'zones/westeurope',
    rule: 'sameValueShares',
    holder,
    workflowId: `workflow of ${holder}`,
    accepts,
  };
}

export function aWait(change: Partial<JournalEntry> = {}): JournalEntry {
  return {
    at: 1_000,
    operation: 'health.wait',
    event: 'started',
    scaleSetId: setId('Web'),
    instanceId: 'web_0',
    region: 'westeurope',
    zone: '1',
    updateDomain: 0,
    rolloutId: 'R1',
    attemptId: 'attempt-1',
    fromVersion: '0.9.0',
    toVersion: '1.0.0',
    detail: null,
    error: null,
    ...change,
  };
}

/** The ledger of one database as two processes see it. `work` gets the ledger of each in turn, and a number. */
export async function twoProcesses(open: OpenDatabase) {
  const first = await open();
  const second = await openDatabase(first.url);
  const ledgers = [openLedger(first), openLedger(second)] as const;
  return {
    ledger: ledgers[1],
    /** Does something `times` times at once, in both processes. */
    atOnce: <T>(times: number, work: (ledger: Ledger, i: number) => Promise<T>): Promise<T[]> =>
      Promise.all(Array.from({ length: times }, async (_, i) => work(ledgers[i % 2 === 0 ? 0 : 1], i))),
    close: () => second.close(),
  };
}
