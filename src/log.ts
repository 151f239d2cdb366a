import { pino, type Logger } from 'pino';

/** Structured logs, one JSON object a line, on standard error: standard output belongs to what a command answers. */
export function createLogger(name: string): Logger {
  return pino({ name, level: process.env['LOG_LEVEL'] ?? 'info' }, pino.destination(2));
}
