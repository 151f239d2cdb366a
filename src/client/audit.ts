import { auditJournal, type Audit } from '../audit/index.ts';
import { geoPairs, pairedRegions, type Region } from '../domain/region.ts';
import { scaleSetKey } from '../domain/scale-set.ts';
import type { Attempt, RecordedEntry, Rollout } from '../ledger/port.ts';
import type { ClientContext } from './context.ts';
import { readJournal } from './journal.ts';

export interface RolloutAudit extends Audit {
  rollout: Rollout;
}

/**
 * Proves the safety rules of a rollout from its journal (rule E4). Lines of other attempts are read where they could clash with
 * it: on the same sets, in the same regions and in their geo-pairs, at the same time (rules B12, D1, D4).
 */
export async function auditRollout(
  context: Pick<ClientContext, 'fleet' | 'ledger'>,
  rollout: Rollout,
): Promise<RolloutAudit> {
  const { fleet, ledger } = context;
  const regions = await fleet.regions();
  const own = await ledger.attempts.listOf({ rolloutId: rollout.id });
  const others = (await ledger.attempts.listOf({})).filter((one) => mayClash(one, own, regions));
  const entries: RecordedEntry[] = [];
  for await (const entry of readJournal(context, { rolloutId: rollout.id })) entries.push(entry);
  // Lines about when batches may begin are of no rollout (rule D10).
  for await (const entry of readJournal(context, { rolloutId: '' })) entries.push(entry);
  const wanted = new Set(others.map(({ id }) => id));
  for (const scaleSetId of new Set(others.map((one) => one.scaleSetId))) {
    for await (const entry of readJournal(context, { scaleSetId })) {
      if (wanted.has(entry.attemptId)) entries.push(entry);
    }
  }
  const inOrder = entries.toSorted((a, b) => a.seq - b.seq);
  return { rollout, ...auditJournal(inOrder, geoPairs(regions), rollout.id) };
}

function mayClash(other: Attempt, own: readonly Attempt[], regions: readonly Region[]): boolean {
  const near = new Set([other.region, ...pairedRegions(regions, other.region)]);
  const isNear = (one: Attempt) =>
    near.has(one.region) || scaleSetKey(one.scaleSetId) === scaleSetKey(other.scaleSetId);
  return !own.some(({ id }) => id === other.id) && own.some((one) => areAtOnce(one, other) && isNear(one));
}

function areAtOnce(a: Attempt, b: Attempt): boolean {
  return a.startedAt <= (b.endedAt ?? Infinity) && b.startedAt <= (a.endedAt ?? Infinity);
}
