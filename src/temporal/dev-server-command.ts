import { searchAttributeFlags } from './register-search-attributes.ts';

/** Where and on what a dev server runs. */
export interface DevServerSettings {
  readonly ip: string;
  readonly port: number;
  /** Without one there is no Web UI. */
  readonly uiPort?: number;
  readonly codecEndpoint?: string | undefined;
  /** Without one everything is kept in memory and gone at the end. */
  readonly dbFile?: string;
  readonly extraArgs?: readonly string[];
}

/**
 * By default a timer of the dev server lasts a second at least, which is minutes of simulated time at high speed; and its
 * queues are read 20 times a second at most, which makes twelve workflows that sleep 30 ms at once take 270 ms (measured;
 * 90 ms without that limit).
 */
const SHORT_TIMERS = [
  'history.timerProcessorMaxTimeShift="1ms"',
  ...['timer', 'transfer', 'visibility'].map((queue) => `history.${queue}ProcessorMaxPollRPS=10000`),
];

/**
 * Of tasks that wait in one queue each region's are given out by turns. What waited before that was switched on is drained
 * first.
 */
const FAIR_QUEUES = ['matching.enableFairness=true', 'matching.enableMigration=true'];

const DYNAMIC_CONFIG = [...SHORT_TIMERS, ...FAIR_QUEUES].flatMap((setting) => [
  '--dynamic-config-value',
  setting,
]);

/**
 * The default journal costs four tenths of the throughput. With `synchronous=1` a killed process loses nothing; a power
 * cut can take back the last commits of this server, which is for one machine and for trying things out.
 */
const DURABLE_AND_FAST = ['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=1'];

/** The arguments of the Temporal CLI that start a dev server which knows the rollouts' search attributes. */
export function devServerArguments({
  ip,
  port,
  uiPort,
  codecEndpoint,
  dbFile,
  extraArgs = [],
}: DevServerSettings): string[] {
  return [
    ...['server', 'start-dev', '--log-level', 'warn', '--ip', ip, '--port', String(port)],
    ...(uiPort === undefined ? ['--headless'] : ['--ui-port', String(uiPort)]),
    ...(codecEndpoint === undefined ? [] : ['--ui-codec-endpoint', codecEndpoint]),
    ...(dbFile === undefined ? [] : ['--db-filename', dbFile, ...DURABLE_AND_FAST]),
    ...DYNAMIC_CONFIG,
    ...searchAttributeFlags(),
    ...extraArgs,
  ];
}
