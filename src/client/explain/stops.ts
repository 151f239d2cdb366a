import { stopCodes } from '../../domain/stop-codes.ts';

/** What to do about an upgrade that stopped. */
interface StopFix {
  /** The rule by which it stopped, or empty. */
  rule: string;
  fix: string;
}

const NOTHING: StopFix = { rule: '', fix: 'Start it again if it is still wanted.' };

const STOPS: Record<string, StopFix> = {
  [stopCodes.beforeUpgrade]: {
    rule: 'B1',
    fix: 'Heal its instances first: stopped ones count as unhealthy.',
  },
  [stopCodes.inUpgrade]: {
    rule: 'B8',
    fix: 'Look at the instances that no batch has had; heal them, then let it be tried again.',
  },
  [stopCodes.upgradedUnhealthy]: {
    rule: 'B7',
    fix: 'Read what the failed instances say. The image, or the application on it, is the likely cause.',
  },
  [stopCodes.extensionResource]: {
    rule: 'B11',
    fix: 'Renew the credential or resource, update the extension in the model, bring all instances to the model.',
  },
  [stopCodes.optedOut]: {
    rule: 'C1',
    fix: 'Nothing, if its owner wants it so; else switch automatic upgrades on.',
  },
  [stopCodes.notEligible]: { rule: '', fix: 'Mend what it says: it can be upgraded again then.' },
  [stopCodes.cancelled]: NOTHING,
  [stopCodes.cancelRequested]: NOTHING,
  [stopCodes.interrupted]: NOTHING,
  [stopCodes.superseded]: { rule: 'D7', fix: 'Nothing: the newer version comes by its own rollout.' },
  [stopCodes.unreachable]: {
    rule: 'D2',
    fix: "Find out why the cloud's API does not answer for it. Once it does: repair the set, then let it be tried again.",
  },
  WorkflowFailed: {
    rule: '',
    fix: 'Read why its workflow failed in the Temporal Web UI, then let it be tried again.',
  },
};

/** @param code of an attempt or a target that was stopped, or would be */
export function stopFix(code: string): StopFix {
  return STOPS[code] ?? { rule: '', fix: 'Mend what it says, then let it be tried again.' };
}
