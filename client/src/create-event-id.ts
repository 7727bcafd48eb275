/**
 * A new id for an event: nobody else draws it, so that the event counts once however often it is sent. It begins with the time, which spares the
 * store of the server work: what comes at about the same time lies side by side.
 */
export function createEventId(): string {
  return `${Date.now().toString(36)}-${drawUuid()}`;
}

/** Pages that came without TLS have no `randomUUID`; what draws the bytes they have. */
function drawUuid(): string {
  const { randomUUID } = crypto as Partial<typeof crypto>;
  if (randomUUID !== undefined) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
