import { expect, it } from 'vitest';
import { FleetApiError, type Fleet, type FaultSpec } from '../../src/fleet/index.ts';
import { withDeadline } from '../../src/fleet/deadline.ts';
import { describeEngines } from '../support/engines.ts';
import { EPOCH, TARGET, fleetOf, request } from '../support/fleet.ts';

describeEngines("errors of a simulated fleet's API", (open) => {
  const fleetWith = async (faults: FaultSpec[]) => {
    const sets = [
      { name: 'web', region: 'eastus', capacity: 3 },
      { name: 'api', region: 'eastus', capacity: 3 },
    ];
    const made = await fleetOf(sets, { database: await open(), faults });
    const [web = '', api = ''] = made.scaleSetIds;
    return { ...made, web, api, called: made.fleet.overApi() };
  };

  it('hit reads of workers, so often, over all of them, and not the people who look on', async () => {
    const fault: FaultSpec = { kind: 'apiError', operation: 'instances', effect: 'before', times: 2 };
    const { fleet, called, web, api } = await fleetWith([fault]);
    await expect(called.instances(web, EPOCH)).rejects.toMatchObject({
      ...{ name: 'FleetApiError', code: 'ServiceUnavailable', scaleSetId: web, retryAfter: null },
    });
    expect(await fleet.instances(web, EPOCH)).toHaveLength(3);
    await expect(fleet.overApi().instances(api, EPOCH)).rejects.toBeInstanceOf(FleetApiError);
    expect(await called.instances(web, EPOCH)).toHaveLength(3);
    expect(await called.scaleSet(web)).not.toBeNull();
  });

  it('of a set hit nothing that is about more than that set, and last where no number is given', async () => {
    const { called, web, api } = await fleetWith([
      { kind: 'apiError', operation: 'any', effect: 'timeout', scaleSet: 'WEB' },
    ]);
    for (let i = 0; i < 3; i++) {
      await expect(called.scaleSet(web)).rejects.toMatchObject({ code: 'GatewayTimeout' });
    }
    await expect(called.operate(request(web, ['0'], 'osDisk.swap', EPOCH))).rejects.toMatchObject({
      scaleSetId: web,
    });
    expect(await called.instances(api, EPOCH)).toHaveLength(3);
    expect(await called.scaleSets()).toHaveLength(2);
    expect(await called.imageOffers(TARGET.image, 'eastus', EPOCH)).not.toEqual([]);
  });

  it('of all reads hit no operation; a rate limit says for how long, and has done nothing', async () => {
    const { called, web } = await fleetWith([
      { kind: 'apiError', operation: 'reads', effect: 'before' },
      { kind: 'apiError', operation: 'osDisk.swap', effect: 'throttled', retryAfterSeconds: 90, times: 1 },
    ]);
    await expect(called.regions()).rejects.toMatchObject({ scaleSetId: null });
    const swap = request(web, ['0'], 'osDisk.swap', EPOCH + 1_000);
    await expect(called.operate(swap)).rejects.toMatchObject({ code: 'TooManyRequests', retryAfter: 90_000 });
    // What was refused was not begun: it begins later.
    expect(await called.operate({ ...swap, at: EPOCH + 9_000 })).toMatchObject([
      { status: 'running', startedAt: EPOCH + 9_000 },
    ]);
  });

  it('are refused where they make no sense', async () => {
    const { fleet } = await fleetWith([]);
    const odd = { kind: 'apiError', operation: 'reads', effect: 'before', retryAfterSeconds: 5 };
    await expect(fleet.setFaults([odd])).rejects.toThrow(/goes with the effect throttled alone/);
    const unknown = { kind: 'apiError', operation: 'reboot', effect: 'before' };
    await expect(fleet.setFaults([unknown])).rejects.toThrow(/operation/);
  });

  it('come of a call that hangs, which is not waited for beyond its deadline', async () => {
    const { called, web } = await fleetWith([]);
    const never = new Promise<never>(() => {});
    const hanging: Fleet = { ...called, instances: () => never, scaleSets: () => never };
    const fleet = withDeadline(hanging, 1);
    const late = { name: 'FleetApiError', code: 'GatewayTimeout' };
    await expect(fleet.instances(web, EPOCH)).rejects.toMatchObject({ ...late, scaleSetId: web });
    await expect(fleet.scaleSets()).rejects.toMatchObject({ ...late, scaleSetId: null });
    expect(await withDeadline(hanging).scaleSet(web)).not.toBeNull();
  });
});
