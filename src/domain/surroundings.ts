import { isoTime, type Instant } from './clock.ts';
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
  /** As `ScaleSet` spells it. With a token it stands for one credential of a place; without, for all that may be there. */
  url: string;
  /** Null: never. */
  credentialExpiresAt: Instant | null;
  /** Null: it is there. */
  goneAt: Instant | null;
}

/** `refused`: the token in the URL is none that was given out for the place. */
export type ResourceProblem = { problem: 'gone' | 'expired'; since: Instant } | { problem: 'refused' };

export type UnusableResource = { url: string } & ResourceProblem;

/** What is wrong with a resource at a moment, and since when; null if nothing is (rules B11, C8). */
export function problemOf(
  { goneAt, credentialExpiresAt }: Omit<ExternalResource, 'url'>,
  at: Instant,
): Exclude<ResourceProblem, { problem: 'refused' }> | null {
  if (goneAt !== null && goneAt <= at) return { problem: 'gone', since: goneAt };
  if (credentialExpiresAt !== null && credentialExpiresAt <= at) {
    return { problem: 'expired', since: credentialExpiresAt };
  }
  return null;
}

/** How a sentence about what needs such a resource goes on: `which is gone since ...`. */
export function problemText(found: ResourceProblem): string {
  switch (found.problem) {
    case 'gone':
      return `which is gone since ${isoTime(found.since)}`;
    case 'expired':
      return `and its credential expired at ${isoTime(found.since)}`;
    case 'refused':
      return 'which does not know this token';
  }
}
