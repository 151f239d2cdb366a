import { afterEach, expect, it } from 'vitest';
import { startRollout, startScaleSet } from '../../src/client/index.ts';
import { openRollouts, type OpenRollouts } from '../../src/client/cli/open-rollouts.ts';
import { imageRolloutId, manualRolloutId, scaleSetRolloutId } from '../../src/workflows/ids.ts';
import { fleetSpecOf, OLD_VERSION, TARGET, testSetId } from '../support/fleet.ts';
import { describeEngines } from '../support/engines.ts';
import { FakeTemporal, IMAGE } from './support.ts';

const web = testSetId('web');
const people: OpenRollouts[] = [];

afterEach(async () => {
  for (const person of people.splice(0)) await person.close();
});

/** What two people at two terminals work with: connections of their own to one database, and one Temporal. */
async function twoPeople(
  url: string,
): Promise<{ ann: OpenRollouts; bob: OpenRollouts; server: FakeTemporal }> {
  const server = new FakeTemporal();
  const open = () => openRollouts({ databaseUrl: url, temporal: () => server.connect() });
  const [ann, bob] = [await open(), await open()];
  people.push(ann, bob);
  await ann.fleet.seed(fleetSpecOf([{ name: 'web', region: 'eastus', capacity: 5 }]));
  return { ann, bob, server };
}

describeEngines('two people who start something at the same moment', (open) => {
  it('one begins, with what he asked for; the other gets a conflict and writes nothing (rule B12)', async () => {
    const { ann, bob, server } = await twoPeople((await open()).url);
    const [newest, older] = await Promise.allSettled([
      startScaleSet(ann, { scaleSet: 'web', who: 'ann' }),
      startScaleSet(bob, { scaleSet: 'web', version: OLD_VERSION, who: 'bob' }),
    ]);
    const [begun, refused] = newest.status === 'fulfilled' ? [newest, older] : [older, newest];
    expect([begun.status, refused.status]).toEqual(['fulfilled', 'rejected']);
    expect(refused).toMatchObject({ reason: { code: 'Conflict' } });
    const { rollout } = (begun as PromiseFulfilledResult<{ rollout: object }>).value;
    expect(await ann.ledger.rollouts.list()).toEqual([rollout]);
    expect(rollout).toMatchObject(
      begun === newest
        ? { startedBy: 'ann', target: TARGET, status: 'Running' }
        : { startedBy: 'bob', target: { version: OLD_VERSION }, status: 'Running' },
    );
    const workflow = server.workflows.get(scaleSetRolloutId(web));
    expect(workflow?.options['args']).toMatchObject([{ target: (rollout as { target: object }).target }]);
  });

  it('the same over the fleet: one rollout is recorded and begun', async () => {
    const { ann, bob } = await twoPeople((await open()).url);
    const both = await Promise.allSettled([
      startRollout(ann, { image: IMAGE, who: 'ann' }),
      startRollout(bob, { image: IMAGE, who: 'bob' }),
    ]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'Conflict' } });
    expect(await ann.ledger.rollouts.list()).toMatchObject([
      { id: imageRolloutId(TARGET, 1), status: 'Running' },
    ]);
  });

  it('whoever recorded first and began last is refused, and only his own record ends', async () => {
    const { ann, bob, server } = await twoPeople((await open()).url);
    // Ann has recorded hers when Bob, who wants something else, does all of his.
    server.beforeStart = () => startScaleSet(bob, { scaleSet: 'web', version: OLD_VERSION, who: 'bob' });
    await expect(startScaleSet(ann, { scaleSet: 'web', who: 'ann' })).rejects.toMatchObject({
      code: 'Conflict',
    });
    expect(await ann.ledger.rollouts.get(manualRolloutId(web, 1))).toMatchObject({
      startedBy: 'ann',
      status: 'Cancelled',
    });
    expect(await ann.ledger.rollouts.get(manualRolloutId(web, 2))).toMatchObject({
      startedBy: 'bob',
      status: 'Running',
    });
  });

  it('what one recorded and the other began, since he wanted the same, has begun for both', async () => {
    const { ann, bob, server } = await twoPeople((await open()).url);
    let bobs: unknown;
    server.beforeStart = async () => (bobs = await startScaleSet(bob, { scaleSet: 'web', who: 'bob' }));
    const anns = await startScaleSet(ann, { scaleSet: 'web', who: 'ann' });
    expect([anns, bobs]).toMatchObject([{ mended: false }, { mended: true, rolloutId: anns.rolloutId }]);
    expect(await ann.ledger.rollouts.list()).toMatchObject([{ startedBy: 'ann', status: 'Running' }]);
  });
});
