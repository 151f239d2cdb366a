import type { RuleScope } from '../../domain/calendar.ts';
import { workflowDirectory } from '../../temporal/workflow-directory.ts';
import type { ClientContext } from '../context.ts';
import { unendedRollouts, workflowsIn } from '../../activities/workflows-in-scope.ts';
import type { ChangedRule } from './rules.ts';

/** Tells everybody whom a changed rule concerns to look at once. One that is not told looks by itself, within its fallback poll. */
export async function wakeConcerned(
  context: ClientContext,
  scope: RuleScope,
  changed: ChangedRule,
): Promise<ChangedRule> {
  try {
    const { client } = await context.temporal();
    const woken = [...new Set(await concerned(context, scope))];
    await workflowDirectory(client).wake(woken);
    return { ...changed, woken };
  } catch (error) {
    const note = `It stands, and counts at the next look of each workflow; none could be woken: ${(error as Error).message}`;
    return { ...changed, notes: [...changed.notes, note] };
  }
}

type Sources = Pick<ClientContext, 'ledger' | 'fleet'>;

async function concerned({ ledger, fleet }: Sources, scope: RuleScope): Promise<string[]> {
  switch (scope.kind) {
    case 'all':
    case 'rollout':
      return workflowsIn(ledger, scope);
    case 'scaleSet': {
      // Its region as well: that may begin the set now.
      const scaleSet = await fleet.scaleSet(scope.scaleSetId);
      const region = scaleSet && { kind: 'region' as const, region: scaleSet.region };
      return [
        ...(await workflowsIn(ledger, scope)),
        ...(region === null ? [] : await concerned({ ledger, fleet }, region)),
      ];
    }
    case 'region': {
      const rollouts = await unendedRollouts(ledger);
      const found = await Promise.all(
        rollouts.map(({ id }) =>
          workflowsIn(ledger, { kind: 'region', rolloutId: id, region: scope.region }),
        ),
      );
      return found.flat();
    }
  }
}
