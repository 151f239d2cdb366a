import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClientContext } from '../client/context.ts';
import { EXIT } from '../client/errors.ts';
import { planRollout } from '../client/plan.ts';
import { watchRollout, type WatchOutcome, type WatchResult } from '../client/view/index.ts';
import { openDatabase, type Database } from '../database/database.ts';
import { imageLabel } from '../domain/image.ts';
import { openSimulatedFleet, type SimulatedFleet } from '../fleet/index.ts';
import { openLedger } from '../ledger/index.ts';
import { connectClient, loadConnection, type ConnectedClient } from '../temporal/connection.ts';
import { describePlan } from './describe-plan.ts';
import type { DemoOptions } from './options.ts';
import type { Reporter } from './reporter.ts';
import { demoRequest, IMAGE, publishVersion, seedDemoFleet, startDemo, VERSION } from './scenario.ts';
import { environment, openStage, type Stage } from './stage.ts';
import { describeKept, describeSummary, describeTraces, summarise, type DemoSummary } from './summary.ts';

export interface DemoResult {
  exitCode: number;
  /** Absent when the demo was interrupted before its rollout had begun. */
  summary?: DemoSummary;
}

const EXIT_CODES: Record<WatchOutcome, number> = {
  completed: EXIT.ok,
  halted: EXIT.halted,
  faulted: EXIT.halted,
  cancelled: EXIT.cancelled,
  timedOut: EXIT.timedOut,
  interrupted: EXIT.interrupted,
};

/** A rollout that takes three times as long as planned is stuck. */
const PATIENCE = 3;
const PATIENCE_AT_LEAST_MS = 60_000;

/**
 * Plays the demo: starts the processes, seeds a fleet, publishes a version, rolls it out, and tells how it went. All
 * processes are gone when it answers or fails, unless they are to be kept.
 * @throws ProcessFailedError when the server goes, or worker or API keep dying
 */
export async function runDemo(
  options: DemoOptions,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<DemoResult> {
  const begun = Date.now();
  const folder = await mkdtemp(join(tmpdir(), 'rollouts-demo-'));
  const databaseUrl = `file:${join(folder, 'fleet.db')}`;
  // Opened here first: three processes that make the schema at once would get in each other's way.
  const database = await openDatabase(databaseUrl);
  let stage: Stage | null = null;
  let finished = false;
  try {
    reporter.heading('Starting');
    stage = await openStage({ folder, databaseUrl, keep: options.keep, tell: reporter.tell });
    const play = { options, reporter, signal, stage, database, databaseUrl, folder, begun };
    const result = await Promise.race([playOn(play), stage.failed]);
    finished = result.summary !== undefined;
    return result;
  } finally {
    // What was left half way is of no use to anybody.
    if (options.keep && finished) stage?.release();
    else await stage?.stop();
    await database.close();
  }
}

interface Play {
  options: DemoOptions;
  reporter: Reporter;
  signal: AbortSignal;
  stage: Stage;
  database: Database;
  databaseUrl: string;
  folder: string;
  begun: number;
}

async function playOn(play: Play): Promise<DemoResult> {
  const { options, stage, database, reporter, signal } = play;
  const connected = await connectClient(
    loadConnection({ ...process.env, ...environment(stage.temporalAddress, play.databaseUrl) }),
  );
  try {
    const fleet = await openSimulatedFleet(database);
    const context = { fleet, ledger: openLedger(database), temporal: () => Promise.resolve(connected) };
    if (signal.aborted) return { exitCode: EXIT.interrupted };
    const request = demoRequest({ file: options.fleet });
    await prepare(play, fleet);
    const plan = await planRollout(context, request);
    reporter.line(describePlan(plan).join('\n'));
    const { rolloutId } = await startDemo(context, request);
    reporter.line();
    reporter.heading(`Rollout ${rolloutId}`);
    const timeoutMs = Math.max(PATIENCE_AT_LEAST_MS, PATIENCE * plan.wallDurationMs);
    const watched = await watch(play, { context, connected, rolloutId, timeoutMs });
    const { snapshot, outcome } = watched;
    if (outcome === 'interrupted') return { exitCode: EXIT.interrupted };
    const totalWallMs = Date.now() - play.begun;
    const summary = await summarise({ ...play, ledger: context.ledger, snapshot, plan, totalWallMs });
    tellResult(play, watched, summary);
    return { exitCode: EXIT_CODES[outcome], summary };
  } finally {
    await connected.connection.close();
  }
}

/** Seeds and publishes, and tells so. */
async function prepare({ options, reporter, stage }: Play, fleet: SimulatedFleet): Promise<void> {
  if (stage.webUi !== null) reporter.line(`${'Web UI'.padEnd(10)}${stage.webUi}`);
  reporter.line(`${'API'.padEnd(10)}${stage.apiUrl}`);
  reporter.line();
  const { fleet: file, speed, seed } = options;
  const seeded = await seedDemoFleet(fleet, { file, speed, seed });
  await publishVersion(fleet);
  reporter.heading(`${imageLabel(IMAGE)} ${VERSION}`);
  reporter.line(
    `A new version for a fleet of ${seeded.scaleSets} scale sets with ${seeded.instances} VMs in ${seeded.regions} regions:`,
  );
}

function watch(
  { reporter, signal }: Play,
  {
    context: { fleet, ledger },
    connected,
    rolloutId,
    timeoutMs,
  }: { context: ClientContext; connected: ConnectedClient; rolloutId: string; timeoutMs: number },
): Promise<WatchResult> {
  return reporter.whileDrawing(() =>
    watchRollout({ fleet, ledger, client: connected.client }, rolloutId, {
      out: reporter.out,
      tty: reporter.tty,
      stopWhenHalted: true,
      notes: reporter.notes,
      timeoutMs,
      signal,
    }),
  );
}

function tellResult(
  { options, reporter, folder }: Play,
  { outcome, snapshot }: WatchResult,
  summary: DemoSummary,
) {
  reporter.line();
  reporter.heading(
    outcome === 'timedOut' ? 'The rollout takes far longer than planned: given up' : snapshot.status,
  );
  reporter.line(describeSummary(summary, snapshot));
  reporter.line();
  reporter.line(options.keep ? describeKept(summary, folder) : describeTraces(summary, folder));
}
