import type { Generated } from 'kysely';

export interface JournalTables {
  journal: {
    seq: Generated<number>;
    at: number;
    recorded_at: number;
    operation: string;
    event: string;
    scale_set_key: string;
    scale_set_id: string;
    instance_id: string;
    region: string;
    zone: string | null;
    update_domain: number | null;
    rollout_id: string;
    attempt_id: string;
    from_version: string | null;
    to_version: string | null;
    detail: string | null;
    error: string | null;
    /** JSON. */
    observed: string | null;
  };
}
