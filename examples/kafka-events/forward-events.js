import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';

/** Events of one request, at most. */
const MOST = 500;

/** Posts what comes over a stream of messages, and commits once it is kept: what is not committed comes again, and counts once by its id. */
export async function forwardEvents(stream, { url, key, warn = tell }) {
  while (!stream.readableEnded && !stream.destroyed) {
    const messages = [];
    for (let message; messages.length < MOST && (message = stream.read()) !== null;) messages.push(message);
    if (messages.length > 0) {
      await post(messages.map(toEvent), { url, key, warn });
      const last = new Map(messages.map((message) => [`${message.topic} ${message.partition}`, message]));
      for (const message of last.values()) await message.commit();
    } else await someOf(stream, ['readable', 'end', 'close']);
  }
}

async function someOf(stream, names) {
  const waiting = new AbortController();
  const heard = names.map((name) => once(stream, name, { signal: waiting.signal }));
  await Promise.race(heard).finally(() => waiting.abort());
}

function tell(...words) {
  process.stderr.write(`${words.join(' ')}\n`);
}

/** The place of a message is its id: delivered again, it is the same. Without a time of its own, an event is of when the message was sent. */
function toEvent({ topic, partition, offset, timestamp, value }) {
  return { timestamp: Number(timestamp) / 1000, ...value, eventId: `${topic}/${partition}/${offset}` };
}

async function post(events, { url, key, warn }) {
  for (;;) {
    const headers = { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) };
    const body = JSON.stringify({ events });
    const answer = await fetch(`${url}/events`, { method: 'POST', headers, body }).catch((error) => ({
      status: 503,
      error,
    }));
    if (answer.status === 202)
      return (await answer.json()).refused.forEach((refused) =>
        warn('refused', events[refused.index].eventId, refused.detail),
      );
    // None of them can ever be kept.
    if (answer.status === 400) return warn('refused', events[0].eventId, await answer.text());
    if (answer.status < 500 && answer.status !== 429)
      throw new Error(`${url}/events: ${answer.status} ${await answer.text()}`);
    await wait(1000 * Number(answer.headers?.get('retry-after') ?? 1));
  }
}
