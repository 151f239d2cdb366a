import { expect, it } from 'vitest';
import { openLedger } from '../../src/ledger/index.ts';
import { describeEngines } from '../support/engines.ts';
import { setId, version } from './ledger-builders.ts';

describeEngines('held versions in the ledger', (open) => {
  it('stand as they were first held, set by set, until they are lifted', async () => {
    const { heldVersions } = openLedger(await open());
    const held = {
      scaleSetId: setId('Web'),
      version: version('1.0.0'),
      who: 'ann',
      why: 'bad',
      since: 1_000,
    };
    const other = { ...held, scaleSetId: setId('Api'), since: 500 };
    await heldVersions.hold(held);
    await heldVersions.hold({ ...held, scaleSetId: held.scaleSetId.toUpperCase(), who: 'bob', since: 2_000 });
    await heldVersions.hold(other);
    expect(await heldVersions.list()).toEqual([other, held]);
    expect(await heldVersions.list({ scaleSetId: setId('WEB') })).toEqual([held]);
    await heldVersions.lift(setId('web'), version('2.0.0'), 3_000, 'ann');
    expect(await heldVersions.list({ scaleSetId: setId('Web') })).toEqual([held]);
    await heldVersions.lift(setId('web'), version('1.0.0'), 3_000, 'ann');
    expect(await heldVersions.list()).toEqual([other]);
    const again = { ...held, who: 'bob', since: 4_000 };
    await heldVersions.hold(again);
    expect(await heldVersions.list()).toEqual([other, again]);
  });
});
