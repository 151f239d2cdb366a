import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { auditJournal } from '../../src/audit/index.ts';
import { openDatabase } from '../../src/database/database.ts';
import { startProcess, type ManagedProcess } from '../../src/demo/managed-process.ts';
import { geoPairs } from '../../src/domain/region.ts';
import { openSimulatedFleet } from '../../src/fleet/index.ts';
import { openLedger } from '../../src/ledger/index.ts';
import type { RecordedEntry } from '../../src/ledger/port.ts';
import { devServerEnvironment, type DevServerEnvironment } from '../support/temporal.ts';
import {
  FORMER_RELEASES,
  formerSources,
  hasSources,
  presentArgs,
  rollouts,
  type FormerSources,
} from './former-release.ts';

/*
 * A rollout that was begun by a former release, with its own worker and database, and is ended by the present one.
 */

const IMAGE = 'Canonical:0001-com-ubuntu-server-jammy:22_04-lts';
const VERSION = '22.04.202512050';

let server: DevServerEnvironment;
beforeAll(async () => {
  server = await devServerEnvironment();
});
afterAll(() => server.stop());

const workers: ManagedProcess[] = [];
afterEach(() => Promise.all(workers.splice(0).map((worker) => worker.stop())));

async function startWorker(name: string, args: string[], folder: string, env: NodeJS.ProcessEnv) {
  const worker = await startProcess({
    ...{ name, args, env, outlives: false, logFile: join(folder, `${name.replaceAll(' ', '-')}.log`) },
    readiness: (log) => (log.includes('worker ready') ? 'ready' : null),
  });
  workers.push(worker);
  return worker;
}

/** How many workflows of a type run: the server's list is a moment behind. */
async function running(type: string): Promise<number> {
  const query = `WorkflowType = '${type}' AND ExecutionStatus = 'Running'`;
  return (await server.client.workflow.count(query)).count;
}

/** The fleet and the ledger as this release reads them: opening them brings the schema up to date. */
async function expectUpgraded(databaseUrl: string): Promise<void> {
  const database = await openDatabase(databaseUrl);
  try {
    const fleet = await openSimulatedFleet(database);
    const ledger = openLedger(database);
    const { epochVirtual } = await fleet.clock();
    for (const { id, upgradePolicy } of await fleet.scaleSets()) {
      if (!upgradePolicy.automaticOSUpgradePolicy.enableAutomaticOSUpgrade) continue;
      const versions = (await fleet.instances(id, epochVirtual)).map(({ osDisk }) => osDisk?.source.version);
      expect(new Set(versions), id).toEqual(new Set([VERSION]));
    }
    expect(await ledger.attempts.listOpen()).toEqual([]);
    expect(await ledger.claims.list()).toEqual([]);
    const journal = await ledger.journal.read({});
    expect(auditJournal(journal, geoPairs(await fleet.regions())).violations).toEqual([]);
    expectEachSwappedOnce(journal);
  } finally {
    await database.close();
  }
}

/** What an audit can't judge where a release did not yet tell in its journal how attempts begin. */
function expectEachSwappedOnce(journal: readonly RecordedEntry[]): void {
  const swaps = journal.filter(({ operation }) => operation === 'osDisk.swap');
  const named = (event: RecordedEntry['event']) =>
    swaps
      .filter((line) => line.event === event)
      .map(({ attemptId, instanceId }) => `${attemptId}/${instanceId}`)
      .toSorted();
  const succeeded = named('succeeded');
  expect(succeeded.length).toBeGreaterThan(0);
  expect(new Set(succeeded).size).toBe(succeeded.length);
  expect(named('started')).toEqual(succeeded);
}

describe('a rollout that was begun by a former release', () => {
  it.for(FORMER_RELEASES)('$version ends on this one', async (release, { skip }) => {
    const isThere = await hasSources(release);
    skip(!isThere, `This checkout has no history: \`git fetch --unshallow\` brings ${release.commit}.`);
    const former = await formerSources(release);
    try {
      await upgrade(former);
      expect(workers).not.toEqual([]);
    } finally {
      await Promise.all(workers.splice(0).map((worker) => worker.stop()));
      await former.remove();
    }
  });
});

async function upgrade({ folder, ...former }: FormerSources): Promise<void> {
  const args = (file: string) => former.args(file);
  const DATABASE_URL = `file:${join(folder, 'fleet.db')}`;
  const env = { ...process.env, DATABASE_URL, TEMPORAL_ADDRESS: server.address };
  const command = (...given: string[]) => rollouts(args('src/client/cli/main.ts'), env, given);
  await command('fleet', 'seed', 'examples/fleets/small.json', '--speed', '240');
  await command('publish', IMAGE, VERSION);
  const before = await startWorker('the former worker', args('src/worker.ts'), folder, env);
  await command('start', IMAGE, '--bake', '1m', '--trigger-delay', '1m');
  await expect.poll(() => running('batchUpgrade'), { timeout: 120_000, interval: 20 }).toBeGreaterThan(0);
  await before.stop();
  expect(await running('imageRollout')).toBe(1);

  await startWorker('this worker', presentArgs('src/worker.ts'), folder, env);
  await expect.poll(() => running('imageRollout'), { timeout: 240_000, interval: 200 }).toBe(0);
  await expectUpgraded(DATABASE_URL);
}
