import { compareVersions } from '../../domain/image.ts';
import type { FleetView, InstanceSummary, ScaleSetSummary } from '../index.ts';
import { amount, section, sections, table, time } from './text.ts';

/** The fleet for people: regions, then scale sets, then the VMs if they were read. */
export function fleetText({ now, speed, regions, scaleSets }: FleetView): string {
  if (scaleSets.length === 0) {
    return 'There are no scale sets here. Fill the fleet by `rollouts fleet seed` or `rollouts fleet import`.';
  }
  const instances = scaleSets.reduce((sum, set) => sum + set.capacity, 0);
  const clock = speed === 1 ? 'real time' : `virtual time, ${speed} times as fast as the wall clock`;
  return sections(
    `${amount(instances, 'VM')} in ${amount(scaleSets.length, 'scale set')} and ${amount(regions.length, 'region')} at ${time(now)} (${clock})`,
    regionTable(regions),
    scaleSetTable(scaleSets),
    ...scaleSets.map((set) => section(`${set.name} in ${set.region}`, instanceTable(set.instances ?? []))),
  );
}

function regionTable(regions: FleetView['regions']): string {
  return table(
    [
      { title: 'REGION' },
      { title: 'PAIR' },
      { title: 'ZONES' },
      { title: 'SCALE SETS', align: 'right' },
      { title: 'VMS', align: 'right' },
      { title: 'HEALTHY', align: 'right' },
    ],
    regions.map((region) => [
      region.name,
      region.pairedRegion ?? '-',
      zonesText(region.zones),
      String(region.scaleSets),
      String(region.instances),
      String(region.healthy),
    ]),
  );
}

function scaleSetTable(sets: readonly ScaleSetSummary[]): string {
  return table(
    [
      { title: 'SCALE SET' },
      { title: 'REGION' },
      { title: 'ZONES' },
      { title: 'OS' },
      { title: 'VMS', align: 'right' },
      { title: 'HEALTHY', align: 'right' },
      { title: 'AUTOMATIC' },
      { title: 'IMAGE' },
      { title: 'MODEL' },
      { title: 'VMS BY VERSION' },
    ],
    sets.map((set) => [
      set.name,
      set.region,
      zonesText(set.zones),
      set.osType,
      String(set.capacity),
      String(set.healthy),
      set.automaticOSUpgrade ? 'yes' : 'no',
      set.image,
      set.imageVersion,
      versionsText(set.versions),
    ]),
  );
}

function instanceTable(instances: readonly InstanceSummary[]): string {
  return table(
    [
      { title: 'VM', align: 'right' },
      { title: 'VERSION' },
      { title: 'HEALTH' },
      { title: 'ZONE', align: 'right' },
      { title: 'UPDATE DOMAIN', align: 'right' },
      { title: 'POWER' },
      { title: 'PROVISIONING' },
      { title: 'NOTE' },
    ],
    instances.map((instance) => [
      instance.id,
      instance.version ?? '(no OS disk)',
      instance.health,
      instance.zone ?? '-',
      String(instance.updateDomain ?? '-'),
      instance.powerState,
      instance.provisioningState,
      [
        ...(instance.protectFromScaleSetActions ? ['protected'] : []),
        ...(instance.latestModelApplied ? [] : ['behind its model']),
        ...(instance.quarantined === null
          ? []
          : [`quarantined since ${time(instance.quarantined.since)}: ${instance.quarantined.error}`]),
      ].join(', '),
    ]),
    '  ',
  );
}

function zonesText(zones: readonly string[]): string {
  return zones.length === 0 ? '-' : zones.join(',');
}

/** `9 x 22.04.202511010, 1 x 22.04.202512050`, the newest last. */
function versionsText(versions: Record<string, number>): string {
  return Object.entries(versions)
    .toSorted(([a], [b]) => compareVersions(a, b))
    .map(([version, count]) => `${count} x ${version}`)
    .join(', ');
}
