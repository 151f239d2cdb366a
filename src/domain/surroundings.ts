import type { Instant } from './clock.ts';
import type { Durability } from './scale-set.ts';

/** What is true around a scale set and is not in its model, as far as its eligibility goes by it (rules C4, C5, C8). */
export interface Surroundings {
  /** The load balancer probe that the model refers to; null if it refers to none, or to one that there is not. */
  probe: ProbeFacts | null;
  /** The Service Fabric cluster that the model refers to; null if it refers to none, or to one that there is not. */
  cluster: ClusterFacts | null;
  /** External resources of the model from which nothing can be got now, by URL. */
  unusableResources: UnusableResource[];
}

export interface ProbeFacts {
  intervalSeconds: number;
  /** `Standard`, `Basic`, ...; case does not matter. */
  loadBalancerSku: string;
}

export interface ClusterFacts {
  name: string;
  /** The node type that the scale set is; null when the cluster has none of that name. */
  nodeType: NodeType | null;
}

/** A node type of a Service Fabric cluster, as far as the rules go by it. */
export interface NodeType {
  name: string;
  durabilityLevel: Durability;
  /** Nothing but stateless services runs on it. */
  isStateless: boolean;
}

/** What extensions need from outside the fleet: a URL, and the credential that opens it (rule A1). */
export interface ExternalResource {
  /** As `ScaleSet` spells it: lower case, and without what follows `?`. */
  url: string;
  /** Null: never. */
  credentialExpiresAt: Instant | null;
  /** Null: it is there. */
  goneAt: Instant | null;
}

export interface UnusableResource {
  url: string;
  problem: 'gone' | 'expired';
  since: Instant;
}

/** What is wrong with a resource at a moment, and since when; null if nothing is (rules B11, C8). */
export function problemOf(
  { goneAt, credentialExpiresAt }: Omit<ExternalResource, 'url'>,
  at: Instant,
): Omit<UnusableResource, 'url'> | null {
  if (goneAt !== null && goneAt <= at) return { problem: 'gone', since: goneAt };
  if (credentialExpiresAt !== null && credentialExpiresAt <= at) {
    return { problem: 'expired', since: credentialExpiresAt };
  }
  return null;
}
