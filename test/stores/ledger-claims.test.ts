import { expect, it } from 'vitest';
import { ALONE, type Claim, type ClaimRequest, conflicts } from '../../src/domain/claims.ts';
import { openLedger } from '../../src/ledger/index.ts';
import { describeEngines, type OpenDatabase } from '../support/engines.ts';
import { twoProcesses, zones } from './ledger-builders.ts';

const PAIRS = { northeurope: ['westeurope'], westeurope: ['northeurope', 'ukwest'], ukwest: ['westeurope'] };

function region(name: keyof typeof PAIRS): ClaimRequest {
  return { ...zones(name, name), group: 'pairs', rule: 'listed', excludes: PAIRS };
}

function exclusive(holder: string): ClaimRequest {
  return { ...zones(holder, 'attempt'), group: 'Set/Web', rule: 'exclusive' };
}

async function fresh(open: OpenDatabase) {
  return openLedger(await open()).claims;
}

describeEngines('claims in the ledger', (open) => {
  it('let one holder in where all is exclusive, and tell who stands in the way (rule B12)', async () => {
    const claims = await fresh(open);
    expect(await claims.request(exclusive('a'), 10)).toEqual({
      value: 'attempt',
      notBefore: 10,
      blockedBy: [],
    });
    const waiting = await claims.request(exclusive('b'), 20);
    expect(waiting.value).toBeNull();
    expect(waiting.blockedBy.map((claim) => [claim.holder, claim.workflowId])).toEqual([
      ['a', 'workflow of a'],
    ]);
    expect(await claims.release('Set/Web', 'a', 30)).toEqual(['workflow of b']);
    expect((await claims.request(exclusive('b'), 40)).value).toBe('attempt');
  });

  it('answer a holder that asks again as before, and take note of its new workflow', async () => {
    const claims = await fresh(open);
    const first = await claims.request(zones('a', '2', '1'), 10);
    const again = await claims.request({ ...zones('A', '1', '2'), workflowId: 'new run' }, 50);
    expect(again).toEqual(first);
    expect(await claims.list()).toMatchObject([
      { holder: 'a', value: '2', workflowId: 'new run', grantedAt: 10, requestedAt: 10, seq: 1 },
    ]);
  });

  it('keep the place of a waiter that asks again for something else', async () => {
    const claims = await fresh(open);
    await claims.request(zones('a', '1'), 10);
    await claims.request(zones('b', '2'), 20);
    await claims.request(zones('c', '3'), 30);
    await claims.request(zones('b', '3', '2'), 40);
    expect(await claims.list({ group: 'ZONES/westeurope' })).toMatchObject([
      { holder: 'a' },
      { holder: 'b', accepts: ['3', '2'], requestedAt: 20 },
      { holder: 'c' },
    ]);
  });

  it('send a holder that wants another value to the end of the line', async () => {
    const claims = await fresh(open);
    await claims.request(zones('a', '1'), 10);
    await claims.request(zones('b', '2'), 20);
    const moved = await claims.request(zones('a', '3'), 30);
    expect(moved.value).toBeNull();
    expect(moved.blockedBy.map((claim) => claim.holder)).toEqual(['b']);
    expect(await claims.request(zones('b', '2'), 25)).toMatchObject({ value: '2', notBefore: 30 });
  });

  it('close the door of a zone once another one waits, and starve nobody (rule D4)', async () => {
    const claims = await fresh(open);
    expect((await claims.request(zones('a', '1'), 1)).value).toBe('1');
    expect((await claims.request(zones('b', '1'), 2)).value).toBe('1');
    expect((await claims.request(zones('c', '2'), 3)).value).toBeNull();
    expect((await claims.request(zones('d', '1'), 4)).value).toBeNull();
    expect(await claims.release('zones/westeurope', 'a', 5)).toEqual(['workflow of c', 'workflow of d']);
    expect((await claims.request(zones('d', '1'), 6)).value).toBeNull();
    expect((await claims.request(zones('c', '2'), 6)).value).toBeNull();
    await claims.release('zones/westeurope', 'b', 7);
    expect((await claims.request(zones('d', '1'), 8)).value).toBeNull();
    expect((await claims.request(zones('c', '2'), 8)).value).toBe('2');
    await claims.release('zones/westeurope', 'c', 9);
    expect((await claims.request(zones('d', '1'), 10)).value).toBe('1');
  });

  it('take the zone that is open, and give * to one alone (rule B3)', async () => {
    const claims = await fresh(open);
    await claims.request(zones('a', '3'), 1);
    expect((await claims.request(zones('b', '1', '2', '3'), 2)).value).toBe('3');
    expect((await claims.request(zones('whole', ALONE), 3)).value).toBeNull();
    await claims.release('zones/westeurope', 'a', 4);
    expect((await claims.request(zones('whole', ALONE), 5)).value).toBeNull();
    await claims.release('zones/westeurope', 'b', 6);
    expect((await claims.request(zones('whole', ALONE), 7)).value).toBe(ALONE);
    expect((await claims.request(zones('c', '3'), 8)).value).toBeNull();
  });

  it('keep both partners of a region with two pairs out, and only them (rule D1)', async () => {
    const claims = await fresh(open);
    expect((await claims.request(region('northeurope'), 1)).value).toBe('northeurope');
    expect((await claims.request(region('ukwest'), 2)).value).toBe('ukwest');
    const chained = await claims.request(region('westeurope'), 3);
    expect(chained.blockedBy.map((claim) => claim.holder)).toEqual(['northeurope', 'ukwest']);
    expect(await claims.release('pairs', 'northeurope', 4)).toEqual(['workflow of westeurope']);
    expect((await claims.request(region('westeurope'), 5)).value).toBeNull();
    await claims.release('pairs', 'ukwest', 6);
    expect((await claims.request(region('westeurope'), 7)).value).toBe('westeurope');
  });

  it('never grant for a time before the last release, whatever the clock of who asks', async () => {
    const claims = await fresh(open);
    await claims.request(exclusive('a'), 100);
    await claims.request(exclusive('b'), 110);
    await claims.release('set/web', 'A', 200);
    expect((await claims.request(exclusive('b'), 150)).notBefore).toBe(200);
    // Not before its own grant either, and a waiter that leaves has done nothing to wait for.
    await claims.request(exclusive('c'), 160);
    await claims.release('set/web', 'c', 900);
    await claims.release('set/web', 'b', 170);
    expect((await claims.request(exclusive('d'), 180)).notBefore).toBe(200);
  });

  it('wake the others when a waiter leaves, and again when a release is repeated', async () => {
    const claims = await fresh(open);
    await claims.request(zones('a', '1'), 1);
    await claims.request(zones('b', '2'), 2);
    await claims.request(zones('c', '1'), 3);
    expect(await claims.release('zones/westeurope', 'b', 4)).toEqual(['workflow of c']);
    expect(await claims.release('zones/westeurope', 'b', 5)).toEqual(['workflow of c']);
    expect((await claims.request(zones('c', '1'), 6)).value).toBe('1');
    expect(await claims.release('nothing/here', 'b', 5)).toEqual([]);
  });

  it('are given up in all groups at once', async () => {
    const claims = await fresh(open);
    await claims.request(zones('a', '1'), 1);
    await claims.request(exclusive('a'), 1);
    await claims.request(zones('b', '2'), 2);
    await claims.request(exclusive('c'), 2);
    expect((await claims.list({ holder: 'A' })).map((claim) => claim.group)).toEqual([
      'Set/Web',
      'zones/westeurope',
    ]);
    expect((await claims.releaseAll('A', 3)).toSorted()).toEqual(['workflow of b', 'workflow of c']);
    expect(await claims.list({ holder: 'a' })).toEqual([]);
    expect(await claims.releaseAll('a', 4)).toEqual([]);
  });

  it('refuse a request for nothing', async () => {
    const claims = await fresh(open);
    await expect(claims.request(zones('a'), 1)).rejects.toThrow(RangeError);
  });
});

/** Pairs of claims that hold what may not be held together. */
function clashes(held: readonly Claim[]): string[][] {
  return held.flatMap((a) =>
    held
      .filter((b) => a !== b && conflicts(a, a.value as string, b, b.value as string))
      .map((b) => [a.holder, b.holder]),
  );
}

describeEngines('claims asked for by several processes at once', (open) => {
  it('never conflict, and every holder has its turn', async () => {
    const { ledger, atOnce, close } = await twoProcesses(open);
    const wants = [['1'], ['2'], ['1', '3'], ['3'], [ALONE], ['2', '1']];
    let asking = Array.from({ length: 24 }, (_, i) =>
      zones(`h${i}`, ...(wants[i % wants.length] as string[])),
    );
    for (let round = 1; asking.length > 0; round++) {
      await atOnce(asking.length, ({ claims }, i) => claims.request(asking[i] as ClaimRequest, round));
      const all = await ledger.claims.list();
      const held = all.filter((claim) => claim.value !== null);
      expect(held.length).toBeGreaterThan(0);
      expect(clashes(held)).toEqual([]);
      expect(new Set(all.map((claim) => claim.seq)).size).toBe(all.length);
      // Some go, from both processes at once; the others stay for another round.
      const leaving = held.filter((_, i) => (i + round) % 3 !== 0 || held.length === 1);
      await atOnce(leaving.length, ({ claims }, i) => {
        const { group, holder } = leaving[i] as Claim;
        return claims.release(group, holder, round);
      });
      asking = asking.filter(({ holder }) => leaving.every((claim) => claim.holder !== holder));
    }
    expect(await ledger.claims.list()).toEqual([]);
    await close();
  });

  it('let exactly one of many in', async () => {
    const { atOnce, close } = await twoProcesses(open);
    const answers = await atOnce(20, ({ claims }, i) => claims.request(exclusive(`h${i}`), 1));
    expect(answers.filter((answer) => answer.value === 'attempt')).toHaveLength(1);
    await close();
  });
});
