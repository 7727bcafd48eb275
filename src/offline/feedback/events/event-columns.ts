import type { FieldDefinition } from 'parquetjs-lite';
import type { KeptEvent } from '../../../domain/event.js';

const text: FieldDefinition = { type: 'UTF8', compression: 'SNAPPY' };
const number: FieldDefinition = { type: 'DOUBLE', compression: 'SNAPPY' };

/** The columns of compacted events, as docs/events.md says. */
export const EVENT_COLUMNS: Readonly<Record<string, FieldDefinition>> = {
  sequence: { type: 'INT64', compression: 'SNAPPY' },
  user: { ...text, optional: true },
  session: { ...text, optional: true },
  item: text,
  type: text,
  value: { ...number, optional: true },
  time: number,
  event_id: { ...text, optional: true },
  slate_id: { ...text, optional: true },
  context: { ...text, optional: true },
};

/** The row of an event. */
export function toEventRow(event: KeptEvent): Readonly<Record<string, string | number | undefined>> {
  return {
    sequence: event.sequence,
    user: event.userId,
    session: event.sessionId,
    item: event.itemId,
    type: event.type,
    value: event.value,
    time: event.time,
    event_id: event.eventId,
    slate_id: event.slateId,
    context: event.context && JSON.stringify(event.context),
  };
}
