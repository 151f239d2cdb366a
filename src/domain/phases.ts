/** One phase of a platform rollout: the regions that are updated in it (rule D1). */
export interface PhasePlan {
  /** What people call it: `canary`, `early`, `phase 3`. */
  name: string;
  regions: string[];
}
