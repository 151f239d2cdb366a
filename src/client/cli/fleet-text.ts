import { compareVersions } from '../../domain/image.ts';
import type { FleetView, InstanceSummary, ScaleSetSummary } from '../index.ts';
import { amount, section, sections, table, time, wrapped } from './text.ts';

/**
 * The fleet for people: regions, then scale sets, then the VMs if they were read.
 * @param columns in which what is told of a VM is wrapped
 */
export function fleetText({ now, speed, regions, scaleSets }: FleetView, columns: number): string {
  if (scaleSets.length === 0) {
    return 'There are no scale sets here. Fill the fleet by `rollouts fleet seed` or `rollouts fleet import`.';
  }
  const instances = scaleSets.reduce((sum, set) => sum + set.capacity, 0);
  const clock = speed === 1 ? 'real time' : `virtual time, ${speed} times as fast as the wall clock`;
  return sections(
    `${amount(instances, 'VM')} in ${amount(scaleSets.length, 'scale set')} and ${amount(regions.length, 'region')} at ${time(now)} (${clock})`,
    regionTable(regions),
    ...scaleSetTables(scaleSets),
    ...scaleSets.map((set) =>
      section(`${set.name} in ${set.region}`, instanceTable(set.instances ?? [], columns)),
    ),
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

/** Image by image, whose names are long. */
function scaleSetTables(sets: readonly ScaleSetSummary[]): string[] {
  const images = [...new Set(sets.map((set) => set.image))];
  return images.map((image) => section(image, scaleSetTable(sets.filter((set) => set.image === image))));
}

function scaleSetTable(sets: readonly ScaleSetSummary[]): string {
  // Only where there is something to say.
  const hasQuarantine = sets.some((set) => set.quarantined > 0);
  return table(
    [
      { title: 'SCALE SET' },
      { title: 'REGION' },
      { title: 'ZONES' },
      { title: 'OS' },
      { title: 'VMS', align: 'right' },
      { title: 'HEALTHY', align: 'right' },
      ...(hasQuarantine ? [{ title: 'QUARANTINED', align: 'right' } as const] : []),
      { title: 'AUTOMATIC' },
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
      ...(hasQuarantine ? [String(set.quarantined)] : []),
      set.automaticOSUpgrade ? 'yes' : 'no',
      set.imageVersion,
      versionsText(set.versions),
    ]),
    '  ',
  );
}

/** A row each, and below it what is out of order. */
function instanceTable(instances: readonly InstanceSummary[], columns: number): string {
  if (instances.length === 0) return '';
  const rows = table(
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
      ].join(', '),
    ]),
    '  ',
  );
  const [heading, ...lines] = rows.split('\n');
  const told = (instance: InstanceSummary) =>
    troublesOf(instance).map((trouble) => wrapped(`      ${trouble}`, columns, 8));
  return [heading, ...instances.flatMap((instance, i) => [lines[i], ...told(instance)])].join('\n');
}

function troublesOf({ quarantined, previousOsDisk, extensions }: InstanceSummary): string[] {
  return [
    ...(quarantined === null ? [] : [`quarantined since ${time(quarantined.since)}: ${quarantined.error}`]),
    ...(previousOsDisk === null ? [] : [`its previous OS disk is kept: ${previousOsDisk.version}`]),
    ...extensions.flatMap(({ name, state, error }) => {
      if (state === 'notRun') return [`extension ${name} was not run`];
      if (state !== 'failed') return [];
      return [`extension ${name} failed${error === undefined ? '' : `: ${error.code}: ${error.message}`}`];
    }),
  ];
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
