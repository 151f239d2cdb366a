import { SECOND, humanDuration, isoTime, type Instant } from '../../domain/clock.ts';
import { resourceUrl, type Fault, type FaultOf } from '../../fleet/index.ts';

/** A fault as a person would tell of it, and when it shows. */
export interface FaultLine {
  at: Instant;
  what: string;
}

/** @param now when the fault is brought about: one that is not bound to a time shows from then on */
export function faultLine(fault: Fault, now: Instant): FaultLine {
  const at = Math.max(now, 'at' in fault ? fault.at : 'from' in fault ? (fault.from ?? now) : now);
  return { at, what: textOf(fault) };
}

function textOf(fault: Fault): string {
  switch (fault.kind) {
    case 'neverHealthy': {
      const who = subject(fault).replace(/^all VMs/, 'no VM');
      return `${who} will ${who.startsWith('no') ? 'ever' : 'never'} get healthy${onVersion(fault)}`;
    }
    case 'slowHealth':
      return `${subject(fault)} will get healthy ${seconds(fault.seconds)} later than usual${onVersion(fault)}`;
    case 'slowBoot':
      return `${subject(fault)} will boot ${seconds(fault.seconds)} longer than usual${onVersion(fault)}`;
    case 'extensionFails':
      return `extension ${fault.extension} will fail on ${subject(fault)}${onVersion(fault)}`;
    case 'swapFails':
      return `new OS disks of ${subject(fault)} cannot be attached${onVersion(fault)}${tries(fault)}`;
    case 'restoreFails':
      return `old OS disks of ${subject(fault)} cannot be attached again${tries(fault)}`;
    case 'credentialExpired':
      return `the credential of ${resourceUrl(fault.url)} has expired`;
    case 'resourceGone':
      return `${resourceUrl(fault.url)} is gone`;
    case 'flapping': {
      const half = (fault.periodSeconds ?? 0) / 2;
      const { healthySeconds = half, unhealthySeconds = half } = fault;
      const rhythm = `healthy for ${seconds(healthySeconds)}, ill for ${seconds(unhealthySeconds)}`;
      return `${subject(fault)} will flap${onVersion(fault)}: ${rhythm}`;
    }
    case 'outage':
      return `${subject(fault)} go down until ${isoTime(fault.to).slice(0, 19).replace('T', ' ')}`;
    case 'apiError':
      return apiErrorText(fault);
  }
}

const EFFECTS = {
  before: 'fail before it does anything',
  after: 'fail after it has done what was asked',
  timeout: 'fail to answer although it has done what was asked',
  throttled: 'refuse calls as too many',
};

const CALLS: Record<string, string> = { any: 'every call', reads: 'every call that only reads' };

/** `the API will fail before it does anything: osDisk.swap on web, 2 times` */
function apiErrorText({
  effect,
  operation,
  scaleSet,
  times,
  retryAfterSeconds,
}: FaultOf<'apiError'>): string {
  const call = CALLS[operation] ?? operation;
  const wish = retryAfterSeconds === undefined ? '' : `, for ${seconds(retryAfterSeconds)} each time`;
  const on = scaleSet === undefined ? '' : ` on ${scaleSet}`;
  return `the API will ${EFFECTS[effect]}${wish}: ${call}${on}, ${times === undefined ? 'from now on' : often(times)}`;
}

interface Target {
  scaleSet?: string | undefined;
  region?: string | undefined;
  zone?: string | undefined;
  instances?: string[] | undefined;
  share?: number | undefined;
}

/** `VM 3, 4 of web`, `20 % of the VMs in zone 2 of eastus`, `all VMs` */
function subject({ scaleSet, region, zone, instances, share }: Target): string {
  const vms = instances
    ? `VM ${instances.join(', ')}`
    : share === undefined
      ? 'all VMs'
      : `${share * 100} % of the VMs`;
  const where = [
    ...(zone === undefined ? [] : [`in zone ${zone}`]),
    ...[scaleSet ?? region ?? []].flat().map((name) => `of ${name}`),
  ];
  return [vms, ...where].join(' ');
}

function onVersion({ version }: { version?: string | undefined }): string {
  return version === undefined ? '' : ` on ${version}`;
}

function tries({ times }: { times?: number | undefined }): string {
  return times === undefined ? '' : `, ${often(times)}`;
}

function often(times: number): string {
  return times === 1 ? 'once' : `${times} times`;
}

function seconds(count: number): string {
  return humanDuration(count * SECOND);
}
