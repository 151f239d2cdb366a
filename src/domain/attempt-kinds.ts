/** What an attempt on a scale set does to its instances. */
export type AttemptKind =
  /** Brings them to a version of their image (rules B1 to B10). */
  | 'osUpgrade'
  /** Brings them to the set's model, batch by batch: upgrade mode Rolling (rule B14). */
  | 'modelUpgrade'
  /** Brings them to the set's model at once: upgrade mode Automatic, or by a person's order (rules B14, C9). */
  | 'modelUpdate'
  /** Brings each back to its last known good image (ours). */
  | 'revert'
  /** Mends instances whose restore failed (ours). */
  | 'repair';

export interface AttemptTraits {
  /** Goes batch by batch, within zone, update domain and batch size; otherwise all instances are one batch. */
  rolls: boolean;
  /** Stops by the thresholds of rules B1, B7 and B8. */
  isGuarded: boolean;
  /** Is in the set's OS upgrade history (rule E1). */
  inHistory: boolean;
  /** Is the set's latest rolling upgrade while it is the newest such (rule E2). */
  isRollingUpgrade: boolean;
  /** What it is called in a sentence: `an OS upgrade`. */
  name: string;
}

export const ATTEMPT_KINDS: Readonly<Record<AttemptKind, AttemptTraits>> = {
  osUpgrade: { rolls: true, isGuarded: true, inHistory: true, isRollingUpgrade: true, name: 'OS upgrade' },
  modelUpgrade: {
    rolls: true,
    isGuarded: true,
    inHistory: false,
    isRollingUpgrade: true,
    name: 'rolling upgrade to the model',
  },
  modelUpdate: {
    rolls: false,
    isGuarded: false,
    inHistory: false,
    isRollingUpgrade: false,
    name: 'update to the model',
  },
  revert: { rolls: true, isGuarded: true, inHistory: true, isRollingUpgrade: true, name: 'revert' },
  repair: { rolls: true, isGuarded: false, inHistory: false, isRollingUpgrade: false, name: 'repair' },
};

/** What a batch does to its instances before it waits for their health. */
export type BatchAction =
  /** A new OS disk of the batch's version, then model and extensions (rule B4). */
  | 'swap'
  /** Model and extensions only (rule B14). */
  | 'configure'
  /** The kept previous OS disk comes back (repair). */
  | 'restore';
