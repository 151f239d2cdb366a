import { SECOND, type Duration } from '../domain/clock.ts';
import { isJsonObject, type Json } from './wire-shape.ts';

/** A load balancer's health probe, as its ARM JSON describes it. */
export interface Probe {
  /** ARM id, as it is written there. */
  id: string;
  protocol: 'http' | 'https' | 'tcp';
  /** Between two readings. */
  interval: Duration;
  /** Equal readings, one after the other, that change its state. */
  threshold: number;
  /** `Standard`, `Basic`, ... */
  loadBalancerSku: string;
}

/** What Azure takes where a probe does not say. */
export const PROBE_INTERVAL: Duration = 15 * SECOND;
const PROTOCOLS = ['http', 'https', 'tcp'] as const;

/** The probes of a load balancer, in wire shape or flattened as the az CLI lists it; what cannot be read is passed over. */
export function probesOf(loadBalancer: Json): Probe[] {
  const { id, sku, properties } = loadBalancer;
  const own = isJsonObject(properties) ? properties : loadBalancer;
  const loadBalancerSku = isJsonObject(sku) && typeof sku['name'] === 'string' ? sku['name'] : 'Basic';
  const probes: unknown[] = Array.isArray(own['probes']) ? own['probes'] : [];
  return probes.filter(isJsonObject).flatMap((probe) => {
    const probeId =
      typeof probe['id'] === 'string' ? probe['id'] : `${String(id)}/probes/${String(probe['name'])}`;
    const facts = isJsonObject(probe['properties']) ? probe['properties'] : probe;
    return { id: probeId, loadBalancerSku, ...readingsOf(facts) };
  });
}

function readingsOf(facts: Json): Pick<Probe, 'protocol' | 'interval' | 'threshold'> {
  const { protocol } = facts;
  const seconds = Number(facts['intervalInSeconds']);
  // `numberOfProbes` is the older name; where both are given, Azure goes by the newer.
  const threshold = Number(facts['probeThreshold'] ?? facts['numberOfProbes']);
  return {
    protocol:
      PROTOCOLS.find((known) => typeof protocol === 'string' && known === protocol.toLowerCase()) ?? 'tcp',
    interval: seconds > 0 ? seconds * SECOND : PROBE_INTERVAL,
    threshold: threshold >= 1 ? Math.floor(threshold) : 1,
  };
}
