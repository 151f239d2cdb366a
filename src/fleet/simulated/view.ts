import type { Duration, Instant } from '../../domain/clock.ts';
import type { ApplicationHealth, HealthyStretch, Instance, ScaleSet } from '../../domain/scale-set.ts';
import type { HealthSource } from '../health-signal.ts';
import { identityOf } from './build-instances.ts';
import { decisive, signalStretches, without, type Span } from './signal.ts';
import type { InstanceState } from './state.ts';

/** A time in which something outside takes the instance down, and how long its application then needs to recover. */
export interface Outage extends Span {
  recovery: Duration;
}

/** An application that is healthy and unhealthy by turns, beginning with a healthy time. */
export interface Flapping {
  /** Null: when the application could be healthy. */
  from: Instant | null;
  to: Instant | null;
  healthy: Duration;
  unhealthy: Duration;
}

export interface InstancePlace {
  instanceId: string;
  zone: string | null;
  updateDomain: number | null;
  faultDomain: number | null;
}

/** All that an instance's health follows from. */
interface Life {
  state: InstanceState;
  /** Null where only power and provisioning count. */
  source: HealthSource | null;
  /** In order of `from`. */
  outages: readonly Outage[];
  flappings: readonly Flapping[];
}

export interface Viewed extends Life {
  place: InstancePlace;
  scaleSet: ScaleSet;
}

/** How many turns of a flapping application are told one by one, at its beginning and at its end: between them it is unhealthy. */
const TURNS_TOLD = 2_000;

/**
 * An instance as it is at `at`.
 * @param viewed its state is settled up to `at`
 */
export function instanceAt(viewed: Viewed, at: Instant): Instance {
  const { place, state, scaleSet, source, outages } = viewed;
  const down = outages.some((outage) => outage.from <= at && at < outage.to);
  const powerState = down && state.power !== 'deallocated' ? 'stopped' : state.power;
  const stretches = signalOf(viewed, at);
  const isFit =
    state.provisioning === 'Succeeded' &&
    state.extensions.every((extension) => extension.state === 'succeeded');
  const identity = state.identity ?? identityOf(scaleSet, place.instanceId);
  return {
    vmId: identity.vmId,
    computerName: identity.computerName,
    privateIpAddress: identity.privateIpAddress,
    seenAt: at,
    instanceId: place.instanceId,
    scaleSetId: scaleSet.id,
    zone: place.zone,
    updateDomain: place.updateDomain,
    faultDomain: place.faultDomain,
    osDisk: state.osDisk,
    previousOsDisk: state.previous?.disk ?? null,
    dataDisks: state.dataDisks,
    extensions: state.extensions,
    powerState,
    provisioningState: state.provisioning,
    applicationHealth:
      powerState === 'running' ? applicationHealth(viewed, stretches, at) : healthOfStopped(source),
    latestModelApplied: state.appliedModelVersion === scaleSet.modelVersion,
    protectFromScaleSetActions: state.protected,
    configuredAt: state.configuredAt,
    healthyStretches: isFit ? decisive(stretches) : [],
    readingInterval: source?.interval ?? 0,
  };
}

function healthOfStopped(source: HealthSource | null): ApplicationHealth {
  return source === null ? 'none' : 'unknown';
}

/** One that will be well does not answer before; one that never will, or was, says so. */
function applicationHealth(life: Life, stretches: readonly HealthyStretch[], at: Instant): ApplicationHealth {
  const { state, source, outages } = life;
  if (source === null) return 'none';
  const last = stretches.at(-1);
  if (last !== undefined && last.to === null) return 'healthy';
  const { interval, threshold, silence, gracePeriod } = source;
  // While it is configured, the extension has only begun, or is yet to.
  if (state.configuredAt === null) return gracePeriod > 0 ? 'initializing' : 'unhealthy';
  const up = runningSpans(state.configuredAt, outages).findLast(({ from }) => from <= at);
  if (up === undefined || (last !== undefined && last.from >= up.from)) return 'unhealthy';
  const isStarting = state.healthyFrom !== null;
  const wait = isStarting ? gracePeriod : Math.min(gracePeriod, (threshold - 1) * interval);
  if (at < up.from + wait) return 'initializing';
  return isStarting ? silence : 'unhealthy';
}

/** When the health signal was healthy since the configuration ended (rule B5); outages make holes. */
function signalOf({ state, source, outages, flappings }: Life, at: Instant): HealthyStretch[] {
  const { configuredAt, healthyFrom } = state;
  if (configuredAt === null) return [];
  return runningSpans(configuredAt, outages).flatMap((up) => {
    if (source === null) return signalStretches({ interval: 1, threshold: 1 }, up, [up], at);
    if (healthyFrom === null) return [];
    const ready = readyAt(healthyFrom, up, outages);
    const silences = flappings
      .flatMap((flapping) => silencesOf(flapping, ready, at))
      .toSorted((a, b) => a.from - b.from);
    return signalStretches(source, up, without({ from: ready, to: up.to }, silences), at);
  });
}

/** When the application could be healthy in a time in which its VM is up. */
function readyAt(healthyFrom: Instant, up: Span, outages: readonly Outage[]): Instant {
  const recovered = outages.filter(({ to }) => to <= up.from).map(({ to, recovery }) => to + recovery);
  return Math.max(healthyFrom, up.from, ...recovered);
}

function runningSpans(since: Instant, outages: readonly Outage[]): Span[] {
  return without({ from: since, to: Infinity }, outages);
}

/** When a flapping application does not answer, as far as that begins by `at`. */
function silencesOf({ from, to, healthy, unhealthy }: Flapping, ready: Instant, at: Instant): Span[] {
  const begins = from ?? ready;
  const ends = to ?? Infinity;
  const period = healthy + unhealthy;
  const first = Math.max(0, Math.floor((ready - begins) / period));
  const last = Math.floor((Math.min(at, ends) - begins) / period);
  const turn = (n: number): Span => ({
    from: begins + n * period + healthy,
    to: Math.min(begins + (n + 1) * period, ends),
  });
  const turns = (start: number, count: number) =>
    Array.from({ length: Math.max(0, count) }, (_, i) => turn(start + i)).filter(
      (span) => span.from < span.to,
    );
  if (last - first < 2 * TURNS_TOLD) return turns(first, last - first + 1);
  const told = first + TURNS_TOLD;
  const untold = { from: turn(told).from, to: turn(last - TURNS_TOLD).to };
  return [...turns(first, TURNS_TOLD), untold, ...turns(last - TURNS_TOLD + 1, TURNS_TOLD)];
}
