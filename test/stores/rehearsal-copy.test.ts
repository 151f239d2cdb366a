import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import {
  PLAIN_SCENARIO,
  rehearse,
  startRollout,
  type Rehearsed,
  type Scenario,
} from '../../src/client/index.ts';
import { rehearsalTemporal } from '../../src/client/rehearsal/temporal.ts';
import { openDatabase, type Database } from '../../src/database/database.ts';
import { HOUR, MINUTE } from '../../src/domain/clock.ts';
import { openLedger } from '../../src/ledger/index.ts';
import { Rehearsal } from '../../src/rehearsal/rehearsal.ts';
import { openWorld } from '../../src/rehearsal/world.ts';
import { describeEngines, type TestDatabase } from '../support/engines.ts';
import { EPOCH, fleetOf, NEW_VERSION } from '../support/fleet.ts';

const IMAGE = 'Canonical:0001-com-ubuntu-server-jammy:22_04-lts';
const QUICK = { triggerDelay: { min: 0, max: 0 }, firstTriggerDelay: 0, bakeTime: MINUTE };
const SETS = [
  { name: 'web', region: 'eastus', zones: ['1', '2', '3'], capacity: 9 },
  { name: 'api', region: 'westus', capacity: 10, extensions: [{ name: 'app' }] },
];

const scenarioOf = (change: Partial<Scenario> = {}): Scenario => ({
  ...PLAIN_SCENARIO,
  image: IMAGE,
  settings: QUICK,
  ...change,
});

/** Every row of every table, in one text. */
async function dump({ db, engine }: Database): Promise<string> {
  const named =
    engine === 'sqlite'
      ? sql<{ name: string }>`select name from sqlite_master where type = 'table' order by name`
      : sql<{
          name: string;
        }>`select table_name as name from information_schema.tables where table_schema = 'public' order by 1`;
  const tables: string[] = [];
  for (const { name } of (await named.execute(db)).rows) {
    const { rows } = await sql<object>`select * from ${sql.table(name)}`.execute(db);
    tables.push(`${name} ${rows.length}`, ...rows.map((row) => JSON.stringify(row)).toSorted());
  }
  return tables.join('\n');
}

/** A fleet on which a rollout is half way: its first 20 minutes have happened, up to now. */
async function halfWay(database: TestDatabase): Promise<{ rolloutId: string }> {
  const { fleet } = await fleetOf(SETS, { database });
  await database.db
    .updateTable('fleet')
    .set({ epoch_wall: Date.now() - HOUR })
    .execute();
  const ledger = openLedger(database);
  const life = new Rehearsal({ fleet, ledger, start: EPOCH + 40 * MINUTE, limit: 20 * MINUTE });
  const temporal = rehearsalTemporal(life);
  const context = { fleet: life.fleet, ledger, temporal: async () => temporal };
  const { rolloutId } = await startRollout(context, { image: IMAGE, settings: QUICK, who: 'ada' });
  expect(await life.run()).toBe('outOfTime');
  return { rolloutId };
}

const versionsOf = ({ scaleSets }: Rehearsed) =>
  Object.fromEntries(scaleSets.map((one) => [one.name, one.versions]));

describeEngines('a rehearsal on a copy of the fleet', (open) => {
  it('plays on what is there, and leaves every row of it as it is', async () => {
    const database = await open();
    await fleetOf(SETS, { database });
    const before = await dump(database);
    const rehearsed = await rehearse(scenarioOf(), database);
    expect(rehearsed).toMatchObject({ outcome: 'Completed', onCopy: true, audit: { violations: [] } });
    expect(versionsOf(rehearsed)).toEqual({ web: { [NEW_VERSION]: 9 }, api: { [NEW_VERSION]: 10 } });
    expect(await dump(database)).toBe(before);
  });

  it('goes on with the rollout that is half way, and leaves that as it is too', async () => {
    const database = await open();
    const { rolloutId } = await halfWay(database);
    const before = await dump(database);
    const rehearsed = await rehearse(scenarioOf(), database);
    expect(rehearsed).toMatchObject({ outcome: 'Completed', rolloutId, audit: { violations: [] } });
    expect(versionsOf(rehearsed)).toEqual({ web: { [NEW_VERSION]: 9 }, api: { [NEW_VERSION]: 10 } });
    expect(await dump(database)).toBe(before);
  });

  it('refuses what would be refused now: the set is being upgraded (rule B12)', async () => {
    const database = await open();
    await halfWay(database);
    const [busy] = await openLedger(database).attempts.listOpen();
    const scenario = scenarioOf({ scaleSet: busy?.scaleSetId });
    expect(await rehearse(scenario, database)).toMatchObject({
      outcome: 'Refused',
      reason: { code: 'Conflict', message: expect.stringMatching(/^409 Conflict/) },
      scaleSets: [{ status: 'upgraded' }, { status: 'upgraded' }],
    });
  });

  it('goes by the windows and freezes that there are, and is audited by them (D10)', async () => {
    const database = await open();
    await fleetOf(SETS, { database });
    const freeze = { kind: 'freeze' as const, from: EPOCH, until: EPOCH + 5 * HOUR };
    const { calendar } = openLedger(database);
    await calendar.add({ ...freeze, scope: 'region:westus', who: 'ada', why: 'storm', at: EPOCH });
    const { audit, timeline, outcome } = await rehearse(scenarioOf(), database);
    expect(outcome).toBe('Completed');
    expect(timeline.map(({ what }) => what)).toContainEqual(
      expect.stringContaining('waits for the end of freeze-1 of region westus (ada: storm), until 15:00'),
    );
    expect(audit.violations).toEqual([]);
    expect(audit.checks.find(({ rule }) => rule === 'D10')).toMatchObject({ cases: 5 });
  });

  it('keeps the faults that the fleet has, and adds its own', async () => {
    const database = await open();
    const { fleet } = await fleetOf(SETS, {
      database,
      faults: [{ kind: 'neverHealthy', version: NEW_VERSION, scaleSet: 'web' }],
    });
    const faults = [{ kind: 'neverHealthy', version: NEW_VERSION, scaleSet: 'api' }];
    const settings = { ...QUICK, failureTolerancePercent: 100 };
    const { scaleSets } = await rehearse(scenarioOf({ faults, settings }), database);
    expect(scaleSets).toMatchObject([
      { name: 'api', status: 'stopped' },
      { name: 'web', status: 'stopped' },
    ]);
    expect(await fleet.faults()).toHaveLength(1);
  });
});

describe('a rehearsal', () => {
  it('knows of nobody who is told of what happens, and has nobody told', async () => {
    const there = await fleetOf(SETS);
    const { database } = there;
    const ledger = openLedger(database);
    const watcher = { name: 'ops', url: 'https://hooks.example', kinds: null, secret: 'env:WATCHER_SECRET' };
    await ledger.watchers.add({ ...watcher, who: 'ann', addedAt: 0 });
    const world = await openWorld(database);
    expect(await world.ledger.watchers.list()).toEqual([]);
    await world.close();
    expect(await rehearse(scenarioOf(), database)).toMatchObject({ outcome: 'Completed' });
    expect(await ledger.deliveries.due(Infinity)).toEqual([]);
    await there.remove();
  });

  it('can be played while another process writes to the database', async () => {
    const there = await fleetOf(SETS);
    const other = await openDatabase((there.database as TestDatabase).url);
    await other.write(['fleet'], async (tx) => {
      await tx.updateTable('fleet').set({ speed: 2 }).execute();
      expect(await rehearse(scenarioOf(), there.database)).toMatchObject({ outcome: 'Completed' });
    });
    expect(await there.fleet.clock()).toMatchObject({ speed: 2 });
    await other.close();
    await there.remove();
  });
});
