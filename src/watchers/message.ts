import { createHash } from 'node:crypto';
import { isoTime } from '../domain/clock.ts';
import type { EventData, RolloutEvent } from '../domain/events.ts';

/** What every event's type begins with. */
export const TYPE_PREFIX = 'dev.rollouts.';

/** The content type of an event in CloudEvents' structured mode. */
export const CONTENT_TYPE = 'application/cloudevents+json; charset=utf-8';

/** An event as CloudEvents 1.0 has it. */
export interface CloudEvent {
  specversion: '1.0';
  /** The same however often it is sent. */
  id: string;
  source: string;
  type: string;
  subject: string;
  /** Virtual time, in ISO 8601. */
  time: string;
  datacontenttype: 'application/json';
  data: EventData;
}

/** @param source what tells this installation from others */
export function cloudEvent(event: RolloutEvent, source: string): CloudEvent {
  return {
    specversion: '1.0',
    id: eventId(event.key),
    source,
    type: `${TYPE_PREFIX}${event.kind}`,
    subject: event.subject,
    time: isoTime(event.at),
    datacontenttype: 'application/json',
    data: event.data,
  };
}

/** Hexadecimal digits, whatever the key holds: it stands in a header too, and in what is signed dots divide. */
function eventId(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 32);
}
