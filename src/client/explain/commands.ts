import { repairCommand } from '../give.ts';
import type { InstanceState } from './types.ts';

/** More ids would make a command that nobody reads. */
const MOST_IDS = 10;

/** What a person can do about instances that stand so; null where nothing is to be done, or only for the whole set. */
export function instanceCommand(called: string, state: InstanceState, ids: readonly string[]): string | null {
  const named = ids.length > MOST_IDS ? 'IDS' : ids.join(' ');
  switch (state) {
    case 'quarantined':
      return repairCommand(ids.length === 1 ? `${called}/${ids[0]}` : called);
    case 'stopped':
      return `rollouts fleet start ${called} ${named}`;
    case 'protected':
      return `rollouts fleet protect ${called} ${named} --off`;
    case 'behindModel':
      return `rollouts update-instances ${called} ${ids.length > MOST_IDS ? '--all' : named}`;
    default:
      return null;
  }
}
