import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { planRollout, startRollout, startScaleSet } from '../../src/client/index.ts';
import type { ImageRolloutInput } from '../../src/workflows/messages.ts';
import { imageRolloutId, manualRolloutId, scaleSetRolloutId } from '../../src/workflows/ids.ts';
import { EPOCH, NEW_VERSION, OLD_VERSION, TARGET, testSetId } from '../support/fleet.ts';
import { IMAGE, rolloutsOn, run, workspace, type TestRollouts, type Workspace } from './support.ts';

let space: Workspace;
let rollouts: TestRollouts;
const first = imageRolloutId(TARGET, 1);

beforeEach(async () => {
  space = workspace();
  rollouts = await rolloutsOn(space);
});
afterEach(async () => {
  await rollouts.close();
  await space.remove();
});

const workflow = (id: string) => {
  const found = rollouts.temporalServer.workflows.get(id);
  if (!found) throw new Error(`no workflow ${id}`);
  return found;
};
const inputOf = (id: string) => (workflow(id).options['args'] as unknown[])[0];

describe('starting a rollout', () => {
  it('records it, then starts its workflow with the same plan', async () => {
    const { code, stdout } = await run(
      ['start', IMAGE, '--tolerance', '2', '--who', 'ann', '--output', 'json'],
      space,
      { temporal: rollouts.temporalServer },
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      workflowId: first,
      rolloutId: first,
      runId: 'run-1',
      status: 'Running',
      version: NEW_VERSION,
      mended: false,
    });
    const recorded = await rollouts.ledger.rollouts.get(first);
    expect(recorded).toMatchObject({
      kind: 'platform',
      startedBy: 'ann',
      settings: { failureTolerancePercent: 2 },
    });
    const { phases, settings, target } = recorded ?? {};
    expect(inputOf(first)).toEqual({
      v: 1,
      rolloutId: first,
      clock: await rollouts.fleet.clock(),
      target,
      phases,
      settings,
    });
    expect(workflow(first).options).toMatchObject({
      type: 'imageRollout',
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
    });
  });

  it('is a conflict while the same version runs, and says its id', async () => {
    await startRollout(rollouts, { image: IMAGE });
    await expect(startRollout(rollouts, { image: IMAGE })).rejects.toMatchObject({
      code: 'Conflict',
      rolloutId: first,
      message: expect.stringContaining(first) as string,
    });
    await startRollout(rollouts, { image: IMAGE, version: OLD_VERSION });
    expect(await rollouts.ledger.rollouts.list()).toHaveLength(2);
  });

  it('records nothing when Temporal cannot be reached', async () => {
    rollouts.temporalServer.reachable = false;
    const { code, stderr } = await run(['start', IMAGE], space, { temporal: rollouts.temporalServer });
    expect(code).toBe(1);
    expect(stderr).toContain('No Temporal server answers at nowhere:1');
    expect(await rollouts.ledger.rollouts.list()).toEqual([]);
  });

  it('goes on where a start that was interrupted stopped', async () => {
    await startRollout(rollouts, { image: IMAGE, settings: { chunkSize: 7 } });
    // As if the process had died between the record and the workflow.
    rollouts.temporalServer.workflows.clear();
    const again = await startRollout(rollouts, { image: IMAGE });
    expect(again).toMatchObject({ rolloutId: first, mended: true });
    expect((inputOf(first) as ImageRolloutInput).settings.chunkSize).toBe(7);
    expect(await rollouts.ledger.rollouts.list()).toHaveLength(1);
  });

  it('closes a rollout whose workflow was terminated, and starts the next generation', async () => {
    await startRollout(rollouts, { image: IMAGE });
    workflow(first).status = 'TERMINATED';
    const again = await startRollout(rollouts, { image: IMAGE });
    expect(again).toMatchObject({ rolloutId: imageRolloutId(TARGET, 2), mended: false });
    expect(await rollouts.ledger.rollouts.get(first)).toMatchObject({
      status: 'Cancelled',
      reason: { code: 'Interrupted' },
    });
  });

  it('counts generations on after an end', async () => {
    await startRollout(rollouts, { image: IMAGE });
    await rollouts.ledger.rollouts.setStatus(first, 'Completed', Date.now(), null);
    expect(await startRollout(rollouts, { image: IMAGE })).toMatchObject({
      rolloutId: imageRolloutId(TARGET, 2),
    });
  });

  it('says why when no set is eligible', async () => {
    const { code, stderr } = await run(['start', IMAGE, '1.0'], space);
    expect(code).toBe(64);
    expect(stderr).toContain('No region offers version 1.0');
    const other = workspace();
    const none = await rolloutsOn(other, [{ region: 'eastus', capacity: 3, automaticOSUpgrade: false }]);
    await expect(startRollout(none, { image: IMAGE })).rejects.toMatchObject({
      code: 'NotEligible',
      message: expect.stringContaining('Automatic OS image upgrades are not enabled') as string,
    });
    await none.close();
    await other.remove();
  });

  it('is refused while everything is cancelled', async () => {
    await run(['cancel', '--all', '--why', 'freeze'], space);
    await expect(startRollout(rollouts, { image: IMAGE })).rejects.toMatchObject({ code: 'Conflict' });
    await run(['resume', '--all', '--why', 'over'], space);
    await startRollout(rollouts, { image: IMAGE });
  });
});

describe('starting one scale set (rule D8)', () => {
  const id = testSetId('legacy');

  it('needs no opt-in, and starts the workflow of the set by the user', async () => {
    const { code, stdout } = await run(['start', '--scale-set', 'LEGACY', '-o', 'json'], space, {
      temporal: rollouts.temporalServer,
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      workflowId: scaleSetRolloutId(id),
      rolloutId: manualRolloutId(id, 1),
      kind: 'manual',
    });
    expect(inputOf(scaleSetRolloutId(id))).toMatchObject({
      rolloutId: manualRolloutId(id, 1),
      scaleSetId: id,
      phase: null,
      region: 'swedencentral',
      target: TARGET,
    });
  });

  it('warns of an older version, of VMs that go back, and of those that it leaves alone', async () => {
    await rollouts.fleet.changeInstances(id, ['2'], { protectFromScaleSetActions: true }, EPOCH);
    expect(await startScaleSet(rollouts, { scaleSet: 'legacy' })).toMatchObject({
      warnings: ['Protected, so not touched: 2.'],
    });
    const other = workspace();
    const one = await rolloutsOn(other, [
      { name: 'new', region: 'eastus', capacity: 3, version: NEW_VERSION },
    ]);
    const { warnings } = await startScaleSet(one, { scaleSet: 'new', version: OLD_VERSION });
    expect(warnings).toEqual([
      `${OLD_VERSION} is not the newest version: ${NEW_VERSION} is offered.`,
      `3 of its 3 VMs run a later version, and go back to ${OLD_VERSION}.`,
    ]);
    await one.close();
    await other.remove();
  });

  it('is a conflict while an upgrade of the set runs (rule B12)', async () => {
    await startScaleSet(rollouts, { scaleSet: id });
    await expect(startScaleSet(rollouts, { scaleSet: id })).rejects.toMatchObject({
      code: 'Conflict',
      message: expect.stringContaining('409 Conflict: OperationNotAllowed') as string,
    });
    expect(await rollouts.ledger.rollouts.list()).toHaveLength(1);
  });

  it('is one too while an automatic upgrade of the set runs, and nothing is written down (rule B12)', async () => {
    rollouts.temporalServer.workflows.set(scaleSetRolloutId(id), { status: 'RUNNING', options: {} });
    await expect(startScaleSet(rollouts, { scaleSet: id })).rejects.toMatchObject({ code: 'Conflict' });
    expect(await rollouts.ledger.rollouts.list()).toEqual([]);
  });

  it('warns of what its extensions will not find (rule C8)', async () => {
    const other = workspace();
    const url = 'https://store.example/app.zip';
    const app = { name: 'app', settings: { fileUris: [url] } };
    const sets = [{ name: 'web', region: 'eastus', capacity: 3, extensions: [app] }];
    const expired = await rolloutsOn(other, sets, {
      externalResources: [{ url, credentialExpiresAt: '2026-01-01T00:00:00Z' }],
    });
    const needs = expect.stringContaining(
      `Extension "app" needs ${url}, and its credential expired`,
    ) as string;
    const { phases } = await planRollout(expired, { image: IMAGE });
    const [set] = phases[0]?.regionPlans[0]?.scaleSetPlans ?? [];
    expect(set?.warnings).toMatchObject([{ code: 'CredentialExpired', message: needs, rule: 'C8' }]);
    const { warnings } = await startScaleSet(expired, { scaleSet: 'web' });
    expect(warnings).toEqual([needs]);
    await expired.close();
    await other.remove();
  });

  it('counts on after an end, and goes on with a start that was interrupted', async () => {
    await startScaleSet(rollouts, { scaleSet: id });
    rollouts.temporalServer.workflows.clear();
    expect(await startScaleSet(rollouts, { scaleSet: id })).toMatchObject({
      rolloutId: manualRolloutId(id, 1),
      mended: true,
    });
    workflow(scaleSetRolloutId(id)).status = 'COMPLETED';
    await rollouts.ledger.rollouts.setStatus(manualRolloutId(id, 1), 'Completed', Date.now(), null);
    expect(await startScaleSet(rollouts, { scaleSet: id })).toMatchObject({
      rolloutId: manualRolloutId(id, 2),
    });
  });

  it('gives every reason why a set cannot be upgraded', async () => {
    const other = workspace();
    const one = await rolloutsOn(other, [
      { name: 'old', region: 'eastus', capacity: 1, health: 'none', apiVersion: '2017-12-01' },
    ]);
    await expect(startScaleSet(one, { scaleSet: 'old' })).rejects.toMatchObject({
      code: 'NotEligible',
      message: expect.stringMatching(/C4\)\n.*C7\)/) as string,
    });
    await one.close();
    await other.remove();
  });

  it('names the candidates when a name is not unique', async () => {
    const other = workspace();
    const twins = await rolloutsOn(other, [
      { name: 'web', region: 'eastus', capacity: 1 },
      { name: 'web', region: 'westus', capacity: 1, resourceGroup: 'other' },
    ]);
    await expect(startScaleSet(twins, { scaleSet: 'web' })).rejects.toMatchObject({
      exitCode: 64,
      message: expect.stringContaining(testSetId('web')) as string,
    });
    await twins.close();
    await other.remove();
  });
});
