import { SECOND } from '../domain/clock.ts';
import { isApplicationHealthExtension } from '../domain/extensions.ts';
import type { HealthExtension } from '../domain/scale-set.ts';
import { isRich } from './health-signal.ts';
import type { ModelIssue } from './model-error.ts';
import type { WireExtension } from './model-schema.ts';
import { isJsonObject } from './wire-shape.ts';

const PROTOCOLS = ['http', 'https', 'tcp'] as const;

/** Azure's limits and defaults of the extension's settings. */
const INTERVAL_SECONDS = { min: 5, max: 60, default: 5 };
const NUMBER_OF_PROBES = { min: 1, max: 24, default: 1 };
const LONGEST_GRACE_SECONDS = 14_400;

/**
 * The Application Health extension of a model, or null where it has none. What is wrong with its settings becomes an
 * issue each, with what to give.
 */
export function readHealthExtension(
  extensions: readonly WireExtension[],
  issues: ModelIssue[],
): HealthExtension | null {
  const extension = extensions.find(({ properties }) => isApplicationHealthExtension(properties));
  if (extension === undefined) return null;
  const settings = settingsOf(extension);
  const refuse = (setting: string, message: string) =>
    issues.push({
      code: 'InvalidParameter',
      target: `properties.virtualMachineProfile.extensionProfile.extensions.${extension.name}.settings.${setting}`,
      message,
    });
  const whole = (setting: string, limits: { min: number; max: number; default: number }): number => {
    const given = settings.get(setting.toLowerCase()) ?? limits.default;
    const value = typeof given === 'string' && given !== '' ? Number(given) : given;
    if (Number.isInteger(value) && (value as number) >= limits.min && (value as number) <= limits.max) {
      return value as number;
    }
    refuse(
      setting,
      `It is ${JSON.stringify(given)}: give a whole number from ${limits.min} to ${limits.max}.`,
    );
    return limits.default;
  };

  const protocol = protocolOf(settings, refuse);
  const interval = whole('intervalInSeconds', INTERVAL_SECONDS);
  const numberOfProbes = whole('numberOfProbes', NUMBER_OF_PROBES);
  const grace = { min: 0, max: LONGEST_GRACE_SECONDS, default: interval * numberOfProbes };
  if (protocol === 'tcp' || settings.has('port')) whole('port', { min: 1, max: 65_535, default: 0 });
  return {
    rich: isRich({ typeHandlerVersion: extension.properties.typeHandlerVersion ?? '1.0' }),
    protocol,
    interval: interval * SECOND,
    numberOfProbes,
    gracePeriod: whole('gracePeriod', grace) * SECOND,
  };
}

function protocolOf(
  settings: ReadonlyMap<string, unknown>,
  refuse: (setting: string, message: string) => void,
): HealthExtension['protocol'] {
  const given = settings.get('protocol');
  const protocol = PROTOCOLS.find((known) => typeof given === 'string' && known === given.toLowerCase());
  if (protocol === undefined) {
    const found = given === undefined ? 'missing' : JSON.stringify(given);
    refuse('protocol', `It is ${found}: give http, https or tcp.`);
    return 'http';
  }
  const path = settings.get('requestpath');
  const hasPath = typeof path === 'string' && path !== '';
  if (protocol === 'tcp' && hasPath)
    refuse('requestPath', 'With tcp there is no path to ask for: remove it.');
  if (protocol !== 'tcp' && !hasPath) {
    refuse('requestPath', `It is missing: with ${protocol}, give the path that answers, such as /health.`);
  }
  return protocol;
}

/** By lower case name; null is as good as absent. */
function settingsOf({ properties }: WireExtension): Map<string, unknown> {
  const { settings } = properties;
  const entries = isJsonObject(settings) ? Object.entries(settings) : [];
  return new Map(
    entries.filter(([, value]) => value !== null).map(([name, value]) => [name.toLowerCase(), value]),
  );
}
