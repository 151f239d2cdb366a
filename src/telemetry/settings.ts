/** Where a worker serves its metrics and its health. */
export interface OperationsAddress {
  host: string;
  /** 0: one that is free. */
  port: number;
}

const DEFAULT_HOST = '127.0.0.1';

/**
 * Reads `METRICS_PORT` and `METRICS_HOST`; null without a port, which is how a worker listens nowhere.
 * @throws Error that names the variable, when its value is no port
 */
export function operationsAddress(env: NodeJS.ProcessEnv = process.env): OperationsAddress | null {
  const { METRICS_PORT: port, METRICS_HOST: host } = env;
  if (!port) return null;
  if (!/^\d+$/.test(port) || Number(port) > 65_535) {
    throw new Error(
      `METRICS_PORT "${port}" is no port: give a number from 0 to 65535, or leave it out to listen nowhere.`,
    );
  }
  return { host: host || DEFAULT_HOST, port: Number(port) };
}
