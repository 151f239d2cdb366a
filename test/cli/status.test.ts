import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { placedWaits, rolloutStatus, startRollout } from '../../src/client/index.ts';
import { HOUR } from '../../src/domain/clock.ts';
import { phaseScope, regionScope } from '../../src/domain/scopes.ts';
import type { RolloutStatus } from '../../src/ledger/port.ts';
import { imageRolloutId } from '../../src/workflows/ids.ts';
import { EPOCH, TARGET } from '../support/fleet.ts';
import { IMAGE, rolloutsOn, run, workspace, type TestRollouts, type Workspace } from './support.ts';

let space: Workspace;
let rollouts: TestRollouts;
const id = imageRolloutId(TARGET, 1);

beforeEach(async () => {
  space = workspace();
  rollouts = await rolloutsOn(space);
  await startRollout(rollouts, { image: IMAGE });
});
afterEach(async () => {
  await rollouts.close();
  await space.remove();
});

const command = (...args: string[]) => run(args, space, { temporal: rollouts.temporalServer });
const end = (status: RolloutStatus) => rollouts.ledger.rollouts.setStatus(id, status, EPOCH + HOUR, null);

async function baking() {
  const record = { rolloutId: id, phase: 1, round: 1 };
  await rollouts.ledger.phases.open({ ...record, at: EPOCH, target: TARGET, regions: ['swedencentral'] });
  await rollouts.ledger.phases.bake(record, EPOCH, EPOCH + HOUR);
}

describe('status', () => {
  it('tells what is waited for and until when, in virtual time', async () => {
    await baking();
    const { code, stdout } = await command('status', '--output', 'json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      rolloutId: id,
      status: 'Running',
      waitsFor: [{ where: 'rollout', kind: 'bake', until: '2026-01-05T11:00:00.000Z' }],
      temporal: { kind: 'reached', workflow: 'open', worker: true },
      advice: [],
    });
    const text = await command('status');
    expect(text.stdout).toMatch(
      /Waits for:\n.*\n {2}rollout +the end of the bake time +2026-01-05T11:00:00\.000Z \(in/,
    );
  });

  it('shows the orders that are in force, and whose', async () => {
    await command('pause', id, '--phase', '2', '--why', 'freeze', '--who', 'ann');
    await command('pause', id, '--region', 'eastus', '--why', 'outage', '--who', 'bob');
    await command('resume', id, '--region', 'eastus', '--why', 'over', '--who', 'bob');
    const { orders } = await rolloutStatus(rollouts, id);
    expect(orders.map(({ scope }) => scope)).toEqual([phaseScope(id, 2)]);
    expect(orders.map(({ scope }) => scope)).not.toContain(regionScope(id, 'eastus'));
  });

  it('says so when the workflow was terminated, was never started, or cannot be asked', async () => {
    const workflow = rollouts.temporalServer.workflows.get(id);
    if (workflow) workflow.status = 'TERMINATED';
    expect((await command('status')).stdout).toContain('Its workflow was closed from outside');
    rollouts.temporalServer.workflows.clear();
    expect((await command('status')).stdout).toContain('Temporal knows no workflow of it');
    rollouts.temporalServer.reachable = false;
    const unreachable = await command('status');
    expect(unreachable).toMatchObject({ code: 0 });
    expect(unreachable.stdout).toContain('No Temporal server answers at nowhere:1');
  });

  it('asks nobody about a rollout that has ended', async () => {
    await end('Completed');
    rollouts.temporalServer.reachable = false;
    const { temporal, advice } = await rolloutStatus(rollouts, id);
    expect(temporal).toEqual({ kind: 'notAsked' });
    expect(advice).toEqual([]);
  });

  it('sorts waits by their end, those without one first', () => {
    const wait = (what: string, until: number | null) => ({ kind: 'trigger' as const, what, until });
    const region = { waits: [wait('a', 30)], sets: [{ name: 's', wait: wait('b', 20) }], name: 'eastus' };
    const snapshot = { now: 25, waits: [wait('c', null)], phases: [{ regions: [region] }] };
    expect(
      placedWaits(snapshot as never).map(({ where, what, remaining }) => [where, what, remaining]),
    ).toEqual([
      ['rollout', 'c', null],
      ['eastus/s', 'b', 0],
      ['eastus', 'a', 5],
    ]);
  });
});

describe('watch', () => {
  it.each([
    ['Completed', 0, 'completed'],
    ['Halted', 2, 'halted'],
    ['Faulted', 2, 'faulted'],
    ['Cancelled', 4, 'cancelled'],
    ['Superseded', 4, 'cancelled'],
  ] as const)('of a rollout that is %s exits with %i', async (status, exitCode, outcome) => {
    await end(status);
    const { code, stdout } = await command('watch', '--output', 'json');
    expect(code).toBe(exitCode);
    expect(JSON.parse(stdout)).toMatchObject({ rolloutId: id, status, outcome, exitCode });
  });

  it('ends when the time is over, and says that the rollout goes on', async () => {
    const { code, stdout } = await command('watch', '--timeout', '300ms');
    expect(code).toBe(5);
    expect(stdout).toContain('The time is over; the rollout goes on (Running).');
  });

  it('ends at Ctrl-C, and leaves the rollout alone', async () => {
    const signal = AbortSignal.timeout(300);
    const { code, stdout } = await run(['watch'], space, { temporal: rollouts.temporalServer, signal });
    expect(code).toBe(130);
    expect(stdout).toContain('You stopped watching; the rollout goes on (Running).');
    expect(await rollouts.ledger.orders.list()).toEqual([]);
  });

  it('sees the end while it watches', async () => {
    const watching = command('watch', id, '--timeout', '20s');
    await delay(300);
    await end('Completed');
    expect(await watching).toMatchObject({ code: 0 });
  });
});

describe('start --wait', () => {
  it('answers once, at the end, with the id and how it ended', async () => {
    await end('Completed');
    const next = imageRolloutId(TARGET, 2);
    const starting = command('start', IMAGE, '--wait', '--timeout', '20s', '-o', 'json');
    while ((await rollouts.ledger.rollouts.get(next)) === null) await delay(20);
    await rollouts.ledger.rollouts.setStatus(next, 'Cancelled', EPOCH + HOUR, {
      code: 'Cancelled',
      message: 'enough',
    });
    const { code, stdout } = await starting;
    expect(code).toBe(4);
    expect(JSON.parse(stdout)).toMatchObject({
      workflowId: next,
      rolloutId: next,
      status: 'Cancelled',
      outcome: 'cancelled',
    });
  });
});

describe('list', () => {
  it('shows rollouts, the newest first', async () => {
    const { stdout } = await command('list', '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({
      rollouts: [{ rolloutId: id, image: IMAGE, status: 'Running', generation: 1 }],
    });
    expect((await command('list')).stdout).toMatch(/^STATUS +WHAT +STARTED +ENDED +BY +ID\nRunning /);
    expect((await command('list', '--status', 'Halted')).stdout).toContain('There is no rollout');
  });
});
