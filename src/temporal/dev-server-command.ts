import { searchAttributeFlags } from './register-search-attributes.ts';

/** Where and on what a dev server runs. */
export interface DevServerSettings {
  readonly ip: string;
  readonly port: number;
  /** Without one there is no Web UI. */
  readonly uiPort?: number;
  /** Without one everything is kept in memory and gone at the end. */
  readonly dbFile?: string;
  readonly extraArgs?: readonly string[];
}

/** By default a timer of the dev server lasts a second at least, which is minutes of simulated time at high speed. */
const SHORT_TIMERS = ['--dynamic-config-value', 'history.timerProcessorMaxTimeShift="1ms"'];

/** The default journal costs four tenths of the throughput; `synchronous=2` still survives a power loss. */
const DURABLE_AND_FAST = ['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=2'];

/** The arguments of the Temporal CLI that start a dev server which knows the rollouts' search attributes. */
export function devServerArguments({
  ip,
  port,
  uiPort,
  dbFile,
  extraArgs = [],
}: DevServerSettings): string[] {
  return [
    ...['server', 'start-dev', '--log-level', 'warn', '--ip', ip, '--port', String(port)],
    ...(uiPort === undefined ? ['--headless'] : ['--ui-port', String(uiPort)]),
    ...(dbFile === undefined ? [] : ['--db-filename', dbFile, ...DURABLE_AND_FAST]),
    ...SHORT_TIMERS,
    ...searchAttributeFlags(),
    ...extraArgs,
  ];
}
