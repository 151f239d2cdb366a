/** An instant on the fleet's virtual clock, in milliseconds since the Unix epoch. */
export type Instant = number;

/** A length of time in milliseconds of virtual time, unless a name says `wall`. */
export type Duration = number;

/**
 * The one clock of a fleet: `virtual = epochVirtual + (wall - epochWall) x speed`.
 * At speed 1 virtual time is wall time; a demo runs the same rollout at several hundred.
 */
export interface VirtualClock {
  /** The virtual instant that `epochWall` stands for. */
  epochVirtual: Instant;
  /** Wall clock, milliseconds since the Unix epoch. */
  epochWall: number;
  /** Virtual milliseconds that pass in one wall millisecond; above 0. */
  speed: number;
}

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** A clock that is wall time itself, which is what a fleet of real machines has. */
export const REAL_TIME: VirtualClock = { epochVirtual: 0, epochWall: 0, speed: 1 };

/** The virtual instant at a wall-clock time. */
export function virtualAt(clock: VirtualClock, wallMs: number): Instant {
  return Math.round(clock.epochVirtual + (wallMs - clock.epochWall) * clock.speed);
}

/** The wall-clock time, in whole milliseconds, at which the virtual clock has reached `instant`: never earlier. */
export function wallAt(clock: VirtualClock, instant: Instant): number {
  return Math.ceil(clock.epochWall + (instant - clock.epochVirtual) / clock.speed);
}

/** How long, in wall milliseconds, to sleep so that `duration` passes on the virtual clock. */
export function wallDuration(clock: VirtualClock, duration: Duration): number {
  return Math.max(0, Math.ceil(duration / clock.speed));
}

/** `2026-01-05T10:00:00.000Z` */
export function isoTime(instant: Instant): string {
  return new Date(instant).toISOString();
}

/** `1 h 05 min`, `5 min`, `40 s`: how a person says a length of time. */
export function humanDuration(duration: Duration): string {
  const seconds = Math.round(duration / SECOND);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60)
    return seconds % 60 === 0 || minutes >= 10
      ? `${minutes} min`
      : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
}
