import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MINUTE } from '../../src/domain/clock.ts';
import { regionScope } from '../../src/domain/scopes.ts';
import { readSnapshot, renderTree } from '../../src/client/view/index.ts';
import { plainLines } from '../../src/client/view/plain.ts';
import { idOf, ROLLOUT, START, Story } from './view-fixture.ts';

let story: Story;
beforeEach(async () => {
  story = await Story.begin();
});
afterEach(() => story.end());

const eastus = { region: 'eastus', phase: 2 };

describe('a snapshot', () => {
  it('shows the plan before anything has begun', async () => {
    const { phases, status, elapsed } = await story.snapshot();
    expect(status).toBe('Running');
    expect(elapsed).toBe(0);
    expect(phases.map(({ name, state, regions }) => [name, state, regions.length])).toEqual([
      ['canary', 'pending', 1],
      ['early', 'pending', 2],
      ['broad', 'pending', 6],
    ]);
  });

  it('refuses a rollout that is not recorded', async () => {
    await expect(readSnapshot(story.sources, 'rollout/none/1/1')).rejects.toThrow('No rollout');
  });

  it('knows both clocks', async () => {
    story.at(120);
    const { now, elapsed, elapsedWallMs } = await story.snapshot();
    expect(now).toBe(START + 120 * MINUTE);
    expect(elapsed).toBe(120 * MINUTE);
    expect(elapsedWallMs).toBe(12_000);
  });

  it('counts the instances of batches as they end, and names the failed ones', async () => {
    await story.openPhase(2, ['eastus'], 130);
    await story.target('web-1', eastus);
    const attempt = await story.attempt('web-1', 165, { ids: ['0', '1', '2'], pending: 12 });
    expect((await story.snapshot()).instances).toEqual({
      upgraded: 0,
      restored: 0,
      failed: 0,
      inProgress: 3,
      pending: 12,
    });
    await story.close(attempt, 170, { '0': 'upgraded', '1': 'upgraded', '2': 'restored' });
    const snapshot = await story.snapshot();
    expect(snapshot.instances).toMatchObject({
      upgraded: 2,
      restored: 1,
      failed: 1,
      inProgress: 0,
      pending: 12,
    });
    const [set] = snapshot.phases[1]?.regions[0]?.sets ?? [];
    expect(set?.batch).toBeNull();
    expect(set?.failures).toEqual([
      { instanceId: '2', outcome: 'restored', error: 'HealthTimeout: not healthy within 300 s.' },
    ]);
  });

  it('adds what an earlier attempt of the same rollout upgraded to the newest one', async () => {
    await story.openPhase(2, ['eastus'], 130);
    await story.target('web-1', eastus);
    const first = await story.attempt('web-1', 165, { ids: ['0', '1'], pending: 0 });
    await story.close(first, 170, { '0': 'upgraded', '1': 'restored' }, 'Faulted');
    await story.attempt('web-1', 200, { ids: ['1'], pending: 0 });
    expect((await story.snapshot()).instances).toMatchObject({ upgraded: 1, failed: 0, inProgress: 1 });
  });
});

describe('what is waited for', () => {
  it('is the next trigger in a region', async () => {
    await story.openPhase(2, ['eastus'], 130);
    await story.target('web-1', { ...eastus, triggerAt: 175 });
    await story.target('web-2', { ...eastus, triggerAt: 165 });
    const { phases } = await story.snapshot();
    expect(phases[1]?.regions[0]?.waits).toMatchObject([
      { kind: 'trigger', what: 'the next trigger', until: START + 165 * MINUTE, command: null },
    ]);
  });

  it('is a turn in a zone, and the geo-pair, behind whoever has them', async () => {
    await story.openPhase(2, ['eastus'], 130);
    await story.target('web-1', eastus);
    const { id: holder } = await story.attempt('web-1', 165, { ids: [], pending: 0 });
    const at = story.at(166);
    const zones = { group: 'zones/eastus/x', rule: 'sameValueShares' as const };
    const pairs = {
      group: 'geo-pairs',
      rule: 'listed' as const,
      excludes: { eastus: ['westus'], westus: ['eastus'] },
    };
    const { claims } = story.ledger;
    await claims.request({ ...zones, holder: 'other', workflowId: 'o', accepts: ['1'] }, at);
    await claims.request({ ...zones, holder, workflowId: 'w', accepts: ['2', '3'] }, at);
    await claims.request({ ...pairs, holder: `${ROLLOUT}#westus`, workflowId: 'o', accepts: ['westus'] }, at);
    await claims.request({ ...pairs, holder: `${ROLLOUT}#eastus`, workflowId: 'w', accepts: ['eastus'] }, at);
    const [region] = (await story.snapshot()).phases[1]?.regions ?? [];
    const first = { name: 'o', workflowId: 'o', since: at };
    expect(region?.sets[0]?.wait).toMatchObject({
      ...{ kind: 'zone', what: 'its turn in zone 2 or 3', since: at, until: null },
      behind: [{ ...first, holds: '1' }],
    });
    expect(region?.waits).toMatchObject([
      {
        ...{ kind: 'geoPair', what: 'its geo-pair westus', since: at, until: null },
        behind: [{ ...first, holds: 'westus' }],
      },
    ]);
  });

  it('is the end of the bake, then a decision', async () => {
    await story.canary();
    await story.openPhase(2, ['eastus'], 130);
    const key = { rolloutId: ROLLOUT, phase: 2, round: 1 };
    await story.ledger.phases.bake(key, story.at(200), START + 260 * MINUTE);
    expect(await story.snapshot()).toMatchObject({
      waits: [{ kind: 'bake', until: START + 260 * MINUTE }],
      phases: [{ state: 'done' }, { state: 'baking' }, { state: 'pending' }],
    });
    const at = story.at(260);
    await story.ledger.phases.judge(key, { eligible: 10, succeeded: 7, failed: 3, failures: ['a'] }, at);
    await story.ledger.rollouts.setStatus(ROLLOUT, 'Halted', at, { code: 'X', message: '3 of 10 failed' });
    expect(await story.snapshot()).toMatchObject({
      waits: [{ kind: 'decision', until: null }],
      phases: [{ state: 'done' }, { state: 'halted' }, { state: 'pending' }],
    });
  });

  it('is the approval of the phase that comes next, which has not begun (D2)', async () => {
    await story.canary();
    const at = story.at(125);
    const reason = {
      code: 'ApprovalNeeded',
      message: 'Phase 2 (early) begins only once a person has approved it.',
    };
    await story.ledger.rollouts.setStatus(ROLLOUT, 'Halted', at, reason);
    const snapshot = await story.snapshot();
    expect(snapshot).toMatchObject({
      waits: [
        {
          ...{
            kind: 'approval',
            what: 'approval of phase 2 (early)',
            since: START + 122 * MINUTE,
            until: null,
          },
          command: `rollouts decide ${ROLLOUT} proceed|abort --why TEXT`,
        },
      ],
      phases: [
        { state: 'done', gate: { failureTolerancePercent: 2, approval: false } },
        { state: 'awaitsApproval' },
        { state: 'pending' },
      ],
    });
    const tree = renderTree(snapshot, { columns: 100, rows: 40, color: false });
    expect(tree).toMatch(/■ 2 early +eastus, westeurope {2}waits for approval\n/);
    expect(plainLines(null, snapshot).at(-1)).toContain(`WAITS FOR APPROVAL: ${reason.message}`);
  });

  it('is a resume, by whoever paused it', async () => {
    await story.openPhase(2, ['eastus', 'westeurope'], 130);
    const order = { state: 'paused' as const, who: 'bo', why: 'a game', at: story.at(131) };
    await story.ledger.orders.set({ ...order, scope: regionScope(ROLLOUT, 'eastus') });
    const [eastus, westeurope] = (await story.snapshot()).phases[1]?.regions ?? [];
    expect(eastus?.waits).toMatchObject([
      {
        ...{ kind: 'resume', what: 'a resume (paused by bo: a game)', since: order.at, until: null },
        command: `rollouts resume ${ROLLOUT} --region eastus --why TEXT`,
      },
    ]);
    expect(westeurope?.waits).toEqual([]);
    await story.ledger.orders.set({ ...order, scope: 'all' });
    expect((await story.snapshot()).waits).toMatchObject([{ kind: 'resume' }]);
  });

  it('is nothing once the rollout was cancelled; its phase has stopped', async () => {
    await story.openPhase(2, ['eastus'], 130);
    await story.target('web-1', { ...eastus, triggerAt: 175 });
    await story.ledger.targets.update(
      { rolloutId: ROLLOUT, scaleSetId: idOf('web-1') },
      { status: 'stopped', reason: { code: 'Cancelled', message: 'Cancelled by bo' } },
    );
    await story.ledger.rollouts.setStatus(ROLLOUT, 'Cancelled', story.at(140), {
      code: 'c',
      message: 'by bo',
    });
    story.at(500);
    expect(await story.snapshot()).toMatchObject({
      waits: [],
      elapsed: 140 * MINUTE,
      phases: [{}, { state: 'stopped' }, {}],
      scaleSets: { stopped: 1, waiting: 0 },
    });
  });
});
