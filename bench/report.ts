import { cpus, totalmem } from 'node:os';
import type { CriticalPathFigures } from './critical-path.ts';
import type { RolloutFigures } from './rollout.ts';

/** All that a run has measured; what was not asked for is absent. */
export interface Measured {
  vms: number;
  system: RolloutFigures;
  empty: RolloutFigures;
  /** VMs a second of each turn that the two have taken; the two above are those of the middle. */
  turns: { system: number; empty: number }[];
  naive?: RolloutFigures | undefined;
  zonal: RolloutFigures;
  single: RolloutFigures;
  growth: RolloutFigures[];
  critical: CriticalPathFigures;
}

/** The line of JSON: figures by name, with the units that their names say. */
export function summary({ system, empty, turns, naive, zonal, single, growth, critical }: Measured) {
  const all = [system, zonal, single, ...growth];
  return {
    vmsPerSecond: round(system.vmsPerSecond, 1),
    emptyTreeRatio: round(system.vmsPerSecond / empty.vmsPerSecond, 3),
    naiveRatio: naive ? round(system.vmsPerSecond / naive.vmsPerSecond, 2) : null,
    eventsPerVm: round(system.events / system.vms, 3),
    eventsPerVmZonal: round(zonal.events / zonal.vms, 3),
    actionsPerVm: round((system.actions ?? 0) / system.vms, 3),
    historyBytesPerVm: round(system.bytes / system.vms, 0),
    largestHistory: Math.max(...all.map(({ largest }) => largest)),
    workerRssMiB: system.workerRssMiB,
    criticalPathOverhead: round(critical.overhead, 4),
    turns: turns.map((turn) => ({ system: round(turn.system, 0), empty: round(turn.empty, 0) })),
    growth: growth.map(({ vms, seconds, vmsPerSecond, events, largest, workerRssMiB }) => ({
      vms,
      seconds: round(seconds, 1),
      vmsPerSecond: round(vmsPerSecond, 1),
      eventsPerVm: round(events / vms, 3),
      largestHistory: largest,
      workerRssMiB,
    })),
  };
}

type Row = [what: string, ...figures: string[]];

/** The same for people. */
export function describe(measured: Measured): string {
  const { system, empty, turns, naive, zonal, single, growth, critical, vms } = measured;
  const rows: Row[] = [
    [
      '',
      'VMs',
      'seconds',
      'VMs/s',
      'events/VM',
      'actions/VM',
      'bytes/VM',
      'largest',
      'worker MiB',
      'worker CPU s',
      'server CPU s',
    ],
    rowOf('this system', system),
    rowOf('empty activities', empty),
    ...(naive ? [rowOf('one activity per VM and step', naive)] : []),
    rowOf('this system, three zones', zonal),
    rowOf('this system, one set', single),
    ...growth.map((figures) => rowOf('this system, growing', figures)),
  ];
  const ratios = [
    `this system : empty activities  ${round(system.vmsPerSecond / empty.vmsPerSecond, 2)}`,
    `in each turn                    ${turns.map((turn) => round(turn.system / turn.empty, 2)).join(', ')}`,
    ...(naive ? [`this system : plain           ${round(system.vmsPerSecond / naive.vmsPerSecond, 1)}`] : []),
    `above the critical path         ${round(critical.overhead * 100, 2)} % (${hours(critical.actualSeconds)} h for ${hours(critical.criticalSeconds)} h of waits)`,
  ];
  const [cpu] = cpus();
  const machine = `${cpus().length} x ${cpu?.model ?? 'unknown'}, ${round(totalmem() / 2 ** 30, 0)} GiB, Node ${process.version}`;
  return [`${vms} VMs on ${machine}`, '', table(rows), '', ...ratios].join('\n');
}

function rowOf(what: string, figures: RolloutFigures): Row {
  const { vms, seconds, vmsPerSecond, events, actions, bytes, largest } = figures;
  return [
    what,
    String(vms),
    seconds.toFixed(1),
    vmsPerSecond.toFixed(0),
    (events / vms).toFixed(2),
    actions === null ? '-' : (actions / vms).toFixed(2),
    (bytes / vms).toFixed(0),
    String(largest),
    String(figures.workerRssMiB),
    figures.workerCpuSeconds.toFixed(0),
    figures.serverCpuSeconds.toFixed(0),
  ];
}

/** The first column to the left, figures to the right. */
function table(rows: readonly Row[]): string {
  const widths = (rows[0] as Row).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  '),
    )
    .join('\n');
}

const hours = (seconds: number) => round(seconds / 3600, 2);

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
