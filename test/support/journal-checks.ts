import { isoTime, MINUTE, type Instant } from '../../src/domain/clock.ts';
import type { JournalEntry } from '../../src/domain/operation.ts';

/*
 * The safety rules, checked from the journal alone: nothing here asks the ledger, or knows how the orchestrator comes to
 * its decisions. Set sizes, pairs and the sets that may span zones are facts of the fleet.
 */

export interface FleetFacts {
  /** Instances of each scale set, by its id in any case. */
  setSizes: Readonly<Record<string, number>>;
  /** Geo-pairs. */
  pairs: readonly (readonly [string, string])[];
  /** Sets whose policy lets a batch span zones (rule B3), by id in any case. */
  crossZoneSets?: readonly string[];
  /** Rule B2. */
  maxBatchPercent?: number;
  /** Rule B5. */
  healthTimeout?: number;
}

/** An instance out of service for its upgrade: from the start of its disk swap until it is healthy, or restored. */
interface Flight {
  attemptId: string;
  setKey: string;
  instanceId: string;
  region: string;
  zone: string | null;
  updateDomain: number | null;
  version: string | null;
  start: Instant;
  end: Instant;
}

/** @returns what is wrong, one line for each violation; empty when nothing is */
export function checkJournal(entries: readonly JournalEntry[], facts: FleetFacts): string[] {
  const lives = groupBy(entries, (entry) =>
    `${entry.attemptId} ${entry.scaleSetId} ${entry.instanceId}`.toLowerCase(),
  );
  const flights = [...lives.values()].flatMap(flightOf);
  return [
    ...[...lives.values()].flatMap((life) => [
      ...checkEnds(life),
      ...checkSwaps(life),
      ...checkRestore(life, facts.healthTimeout ?? 5 * MINUTE),
    ]),
    ...checkBatchSizes(flights, facts),
    ...checkPlaces(flights, facts),
    ...checkZones(flights, facts),
    ...checkPairs(flights, facts),
  ];
}

/** Every operation that was started has exactly one end, and not before its start (rule E4). */
function checkEnds(life: readonly JournalEntry[]): string[] {
  const operations = groupBy(
    life,
    ({ operation, detail }) => `${operation}${detail === null ? '' : ` ${detail}`}`,
  );
  return [...operations].flatMap(([name, events]) => {
    const starts = events.filter((entry) => entry.event === 'started');
    const ends = events.filter((entry) => entry.event !== 'started');
    const where = `${name} of ${placeOf(events[0] as JournalEntry)}`;
    if (starts.length !== 1) return [`${where}: started ${starts.length} times`];
    if (ends.length !== 1) return [`${where}: ended ${ends.length} times`];
    const [start, end] = [starts[0] as JournalEntry, ends[0] as JournalEntry];
    return end.at < start.at ? [`${where}: ended before it started`] : [];
  });
}

/** No instance's disk is swapped twice in one attempt. */
function checkSwaps(life: readonly JournalEntry[]): string[] {
  const swaps = startsOf(life, 'osDisk.swap');
  return swaps.length > 1
    ? [`${placeOf(swaps[0] as JournalEntry)}: swapped ${swaps.length} times in one attempt`]
    : [];
}

/** Rules B5 and B6: who was healthy in time is not restored, who is restored gets its previous version back. */
function checkRestore(life: readonly JournalEntry[], healthTimeout: number): string[] {
  const found: string[] = [];
  const [wait] = startsOf(life, 'health.wait');
  const healthy = endOf(life, 'health.wait', 'succeeded');
  const [restore] = startsOf(life, 'osDisk.restore');
  if (wait && healthy && healthy.at - wait.at > healthTimeout) {
    found.push(
      `${placeOf(healthy)}: healthy only ${(healthy.at - wait.at) / 1000} s after its last extension`,
    );
  }
  if (!restore) return found;
  if (healthy) found.push(`${placeOf(restore)}: restored although it was healthy in time`);
  const [swap] = startsOf(life, 'osDisk.swap');
  const restored = endOf(life, 'osDisk.restore', 'succeeded');
  if (!swap) found.push(`${placeOf(restore)}: restored without a swap`);
  else if (restored && restored.toVersion !== swap.fromVersion) {
    found.push(`${placeOf(restore)}: restored to ${restored.toVersion}, it ran ${swap.fromVersion} before`);
  }
  return found;
}

/** When an instance was out of service; nothing, if its disk was never swapped. An open end lasts for ever. */
function flightOf(life: readonly JournalEntry[]): Flight[] {
  const [swap] = startsOf(life, 'osDisk.swap');
  if (!swap) return [];
  const { attemptId, scaleSetId, instanceId, region, zone, updateDomain, toVersion } = swap;
  return [
    {
      attemptId,
      setKey: scaleSetId.toLowerCase(),
      instanceId,
      region,
      zone,
      updateDomain,
      version: toVersion,
      start: swap.at,
      end: endOfFlight(life),
    },
  ];
}

function endOfFlight(life: readonly JournalEntry[]): Instant {
  const healthy = endOf(life, 'health.wait', 'succeeded');
  if (healthy) return healthy.at;
  // Not healthy: until it is restored, or where nobody restores it (rules B6, B11) until the last that was done to it.
  const open = life.some(({ operation, event, detail }) => {
    const ends = (other: JournalEntry) => other.event !== 'started' && other.detail === detail;
    return event === 'started' && !life.some((other) => other.operation === operation && ends(other));
  });
  return open ? Infinity : Math.max(...life.map((entry) => entry.at));
}

/** Rule B2: never more than `max(1, floor(20 %))` of a set at the same time. */
function checkBatchSizes(
  flights: readonly Flight[],
  { setSizes, maxBatchPercent = 20 }: FleetFacts,
): string[] {
  const sizes = new Map(Object.entries(setSizes).map(([id, size]) => [id.toLowerCase(), size]));
  return [...groupBy(flights, (flight) => flight.setKey)].flatMap(([setKey, ofSet]) => {
    const size = sizes.get(setKey);
    if (size === undefined) return [`${setKey}: its size is not known`];
    const limit = Math.max(1, Math.floor((size * maxBatchPercent) / 100));
    const { most, at } = peak(ofSet);
    return most > limit
      ? [`${setKey}: ${most} of ${size} instances at once at ${isoTime(at)}, ${limit} may be`]
      : [];
  });
}

/** The most flights at the same time; one that begins when another ends is not at the same time. */
function peak(flights: readonly Flight[]): { most: number; at: Instant } {
  const moments = flights
    .flatMap(({ start, end }) => [
      { at: start, change: 1 },
      { at: end, change: -1 },
    ])
    .toSorted((a, b) => a.at - b.at || a.change - b.change);
  let now = 0;
  let result = { most: 0, at: 0 };
  for (const { at, change } of moments) {
    now += change;
    if (now > result.most) result = { most: now, at };
  }
  return result;
}

/** Rule B3: what is in flight in a set is in one zone and one update domain. */
function checkPlaces(flights: readonly Flight[], facts: FleetFacts): string[] {
  const crossing = keysOf(facts.crossZoneSets);
  return [...groupBy(flights, (flight) => flight.setKey)].flatMap(([setKey, ofSet]) => [
    ...overlaps(ofSet, (flight) => String(flight.updateDomain)).map(say('two update domains', setKey)),
    ...(crossing.has(setKey)
      ? []
      : overlaps(ofSet, (flight) => String(flight.zone)).map(say('two zones', setKey))),
  ]);
}

/**
 * Rule D4: in a region one zone at a time for the same update, over all sets. A set that may span zones counts as a zone
 * of its own, which nobody else is in.
 */
function checkZones(flights: readonly Flight[], facts: FleetFacts): string[] {
  const crossing = keysOf(facts.crossZoneSets);
  const zonal = flights.filter((flight) => flight.zone !== null);
  const zoneOf = ({ setKey, zone }: Flight) => (crossing.has(setKey) ? setKey : String(zone));
  return [...groupBy(zonal, ({ region, version }) => `${region} ${version}`)].flatMap(([where, there]) =>
    overlaps(there, zoneOf).map(say('two zones of a region', where)),
  );
}

/** Rule D1: never both regions of a pair. */
function checkPairs(flights: readonly Flight[], { pairs }: FleetFacts): string[] {
  return pairs.flatMap(([a, b]) => {
    const both = flights.filter(({ region }) => region === a || region === b);
    return overlaps(both, (flight) => flight.region).map(say('both regions of a pair', `${a} and ${b}`));
  });
}

/** Two flights at the same time that differ in `key`: the first such, which is enough to know. */
function overlaps(flights: readonly Flight[], key: (flight: Flight) => string): [Flight, Flight][] {
  const byStart = flights.toSorted((a, b) => a.start - b.start);
  let open: Flight[] = [];
  for (const flight of byStart) {
    open = open.filter((other) => other.end > flight.start);
    const other = open.find((candidate) => key(candidate) !== key(flight));
    if (other && flight.end > flight.start) return [[other, flight]];
    open.push(flight);
  }
  return [];
}

function say(what: string, where: string): (pair: [Flight, Flight]) => string {
  return ([a, b]) =>
    `${where}: ${what} at ${isoTime(b.start)}: ${nameOf(a)} (zone ${a.zone}, update domain ${a.updateDomain}, ${a.region}) and ${nameOf(b)} (zone ${b.zone}, update domain ${b.updateDomain}, ${b.region})`;
}

function nameOf({ setKey, instanceId }: Flight): string {
  return `${setKey.split('/').at(-1)}/${instanceId}`;
}

function placeOf({ scaleSetId, instanceId, attemptId }: JournalEntry): string {
  return `${scaleSetId.split('/').at(-1)}/${instanceId} (attempt ${attemptId})`;
}

function startsOf(life: readonly JournalEntry[], operation: JournalEntry['operation']): JournalEntry[] {
  return life.filter((entry) => entry.operation === operation && entry.event === 'started');
}

function endOf(
  life: readonly JournalEntry[],
  operation: JournalEntry['operation'],
  event: JournalEntry['event'],
): JournalEntry | undefined {
  return life.find((entry) => entry.operation === operation && entry.event === event);
}

function keysOf(ids: readonly string[] = []): Set<string> {
  return new Set(ids.map((id) => id.toLowerCase()));
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}
