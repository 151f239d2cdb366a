import { ApplicationFailure } from '@temporalio/common';
import { virtualAt, wallDuration } from '../domain/clock.ts';
import type { NoAnswer } from '../domain/patience.ts';
import { uniform } from '../domain/random.ts';
import { scaleSetKey } from '../domain/scale-set.ts';
import { FleetApiError } from '../fleet/api-error.ts';
import type { Fleet } from '../fleet/port.ts';
import { failureTypes } from '../workflows/messages.ts';

/** How many other sets are asked for, to tell an outage from a fault of one set. */
const WITNESSES = 3;

/**
 * A fault of the cloud's API as a failure that says when to try again: the server, if it is about no one scale set; the workflow, if
 * it is, which is told whether others are answered for meanwhile.
 */
export async function fleetFailure(fleet: Fleet, error: FleetApiError): Promise<ApplicationFailure> {
  const { message, retryAfter, scaleSetId } = error;
  const delay = retryAfter === null ? {} : { nextRetryDelay: wallDuration(await fleet.clock(), retryAfter) };
  if (scaleSetId === null) {
    return ApplicationFailure.create({ message, type: failureTypes.FleetUnavailable, ...delay });
  }
  const othersAnswer = await answersForOthers(fleet, scaleSetId);
  const answer: NoAnswer = { message, retryAfter, othersAnswer };
  // The server does not retry it for workflows that decide themselves; those of earlier releases leave it to the server.
  return ApplicationFailure.create({ message, type: failureTypes.NoAnswer, details: [answer], ...delay });
}

/**
 * True when the API answers for another scale set now. Sets of the same region are asked for first: where none of them is
 * answered for, the region has an outage.
 */
export async function answersForOthers(fleet: Fleet, scaleSetId: string): Promise<boolean> {
  try {
    const at = virtualAt(await fleet.clock(), Date.now());
    const all = await fleet.scaleSets();
    const key = scaleSetKey(scaleSetId);
    const region = all.find((one) => scaleSetKey(one.id) === key)?.region;
    const others = all.filter((one) => scaleSetKey(one.id) !== key);
    const near = others.filter((one) => one.region === region);
    // Not always the same ones: several sets may be at fault for good.
    const witnesses = (near.length > 0 ? near : others)
      .map(({ id }) => ({ id, rank: uniform('witness', at, id) }))
      .toSorted((a, b) => a.rank - b.rank)
      .slice(0, WITNESSES);
    const answers = await Promise.allSettled(witnesses.map(({ id }) => fleet.instances(id, at, ['0'])));
    return answers.some(({ status }) => status === 'fulfilled');
  } catch (error) {
    if (error instanceof FleetApiError) return false;
    throw error;
  }
}

/** What a read answers, or null when the API fails on it: for what can do without. Anything but a fault about one set is thrown on. */
export async function unlessUnanswered<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof FleetApiError && error.scaleSetId !== null) return null;
    throw error;
  }
}
