import type { RolloutPlan } from '../client/plan-types.ts';
import type { RolloutSnapshot } from '../client/view/index.ts';
import { count } from '../client/view/words.ts';
import { humanDuration } from '../domain/clock.ts';
import type { Ledger } from '../ledger/port.ts';
import { environment, type Pids, type Stage } from './stage.ts';
import { table } from './reporter.ts';

/** What `--output json` ends with: one line on standard output. */
export interface DemoSummary {
  status: RolloutSnapshot['status'];
  workflowId: string;
  webUi: string | null;
  apiUrl: string;
  /** How long the rollout took on the fleet's clock, and on the wall's. */
  virtualMs: number;
  wallMs: number;
  plannedVirtualMs: number;
  /** From the start of the command. */
  totalWallMs: number;
  speed: number;
  phases: number;
  regions: number;
  /** Eligible ones, with their instances. */
  scaleSets: number;
  instances: number;
  upgraded: number;
  restored: number;
  /** Failed ones, the restored among them. */
  failed: number;
  skippedScaleSets: number;
  batches: number;
  databaseUrl: string;
  temporalAddress: string;
  pids: Pids;
}

export interface SummaryInput {
  snapshot: RolloutSnapshot;
  plan: RolloutPlan;
  stage: Stage;
  databaseUrl: string;
  ledger: Pick<Ledger, 'attempts'>;
  totalWallMs: number;
}

/** The demo's figures: the plan's, and what has become of it by the ledger. */
export async function summarise(input: SummaryInput): Promise<DemoSummary> {
  const { snapshot, plan, stage } = input;
  return {
    status: snapshot.status,
    workflowId: snapshot.rolloutId,
    webUi: stage.webUi,
    apiUrl: stage.apiUrl,
    virtualMs: snapshot.elapsed,
    wallMs: Math.round(snapshot.elapsedWallMs),
    plannedVirtualMs: plan.virtualDurationMs,
    totalWallMs: input.totalWallMs,
    speed: snapshot.speed,
    phases: plan.phases.length,
    regions: plan.totals.regions,
    scaleSets: plan.totals.scaleSets,
    instances: plan.totals.instances,
    upgraded: snapshot.instances.upgraded,
    restored: snapshot.instances.restored,
    failed: snapshot.instances.failed,
    skippedScaleSets: snapshot.scaleSets.skipped,
    batches: await countBatches(input.ledger, snapshot.rolloutId),
    databaseUrl: input.databaseUrl,
    temporalAddress: stage.temporalAddress,
    pids: stage.pids(),
  };
}

async function countBatches({ attempts }: Pick<Ledger, 'attempts'>, rolloutId: string): Promise<number> {
  const all = await attempts.listOf({ rolloutId });
  const batches = await Promise.all(all.map((attempt) => attempts.batches(attempt.id)));
  return batches.reduce((sum, each) => sum + each.length, 0);
}

/** The summary for people. */
export function describeSummary(summary: DemoSummary, { phases }: RolloutSnapshot): string {
  const { virtualMs, plannedVirtualMs, wallMs, totalWallMs, failed, restored } = summary;
  const difference = Math.round((virtualMs / plannedVirtualMs - 1) * 1000) / 10;
  const off = `${Math.abs(difference)} % ${difference < 0 ? 'less' : 'more'}`;
  const sets = phases.flatMap((phase) =>
    phase.regions.flatMap((region) => region.sets.map((set) => ({ region: region.name, set }))),
  );
  const rows: [string, string][] = [
    ['Upgraded', `${summary.upgraded} of ${summary.instances} VMs, in ${summary.batches} batches`],
    ['Failed', failed === 0 ? 'none' : `${failed}, ${restored} of them restored to their previous OS disk`],
    ...failures(sets),
    ['Stopped', String(sets.filter(({ set }) => set.status === 'stopped').length || 'none')],
    ...reasons(sets, 'stopped'),
    ['Not eligible', summary.skippedScaleSets === 0 ? 'none' : count(summary.skippedScaleSets, 'scale set')],
    ...reasons(sets, 'skipped'),
    ['Phases', phases.map((phase) => `${phase.name} (${phase.regions.length})`).join(', ')],
    ['Fleet time', `${humanDuration(virtualMs)}; planned ${humanDuration(plannedVirtualMs)} (${off})`],
    [
      'Wall time',
      `${humanDuration(wallMs)} at ${summary.speed} times the speed; the whole demo ${humanDuration(totalWallMs)}`,
    ],
  ];
  return table(rows);
}

/** Errors are `<code>: <sentence>`: the code is enough here, the tree and the journal have the rest. */
function failures(sets: readonly PlacedSet[]): [string, string][] {
  return sets.flatMap(({ region, set }) =>
    set.failures.map(({ instanceId, outcome, error }): [string, string] => [
      '',
      `${region}/${set.name} VM ${instanceId}: ${error?.split(':')[0] ?? 'unknown'}, ${outcome}`,
    ]),
  );
}

interface PlacedSet {
  region: string;
  set: RolloutSnapshot['phases'][number]['regions'][number]['sets'][number];
}

function reasons(sets: readonly PlacedSet[], status: 'stopped' | 'skipped'): [string, string][] {
  return sets
    .filter(({ set }) => set.status === status)
    .map(({ region, set }) => ['', `${region}/${set.name}: ${set.reason?.code ?? 'no reason given'}`]);
}

/** How to look at what was done, when nothing runs any more. */
export function describeTraces({ databaseUrl }: DemoSummary, folder: string): string {
  return [
    'Nothing runs any more. What was done is in the journal; to read it:',
    '',
    `  export DATABASE_URL=${databaseUrl}`,
    '  npm run rollouts -- status',
    '  npm run rollouts -- journal',
    '',
    `Logs are in ${folder}.`,
    'To have everything left running, Web UI and all: npm run demo -- --keep',
  ].join('\n');
}

/** How to look at what is left running, and how to end it. */
export function describeKept(summary: DemoSummary, folder: string): string {
  const { temporalAddress, databaseUrl, webUi, apiUrl, pids } = summary;
  const variables = Object.entries(environment(temporalAddress, databaseUrl));
  const kill = [pids.worker, pids.api, pids.server].filter((pid) => pid !== null);
  return [
    'Everything is left running. To look at it:',
    '',
    ...(webUi === null ? [] : [`  ${webUi}/namespaces/default/workflows`]),
    `  ${apiUrl}/healthz`,
    ...variables.map(([name, value]) => `  export ${name}=${value}`),
    '  npm run rollouts -- status',
    '  npm run rollouts -- journal',
    '',
    'To stop it:',
    '',
    `  kill ${kill.join(' ')}`,
    '',
    `Data and logs are in ${folder}.`,
  ].join('\n');
}
