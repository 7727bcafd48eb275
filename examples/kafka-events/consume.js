import { env } from 'node:process';
import { Consumer, jsonDeserializer, stringDeserializer } from '@platformatic/kafka';
import { forwardEvents } from './forward-events.js';

const consumer = new Consumer({
  clientId: 'shortlist-events',
  groupId: env.KAFKA_GROUP ?? 'shortlist-events',
  bootstrapBrokers: (env.KAFKA_BROKERS ?? 'localhost:9092').split(','),
  // What a consumer that was killed had is given to another one after so long.
  sessionTimeout: 10_000,
  deserializers: { key: stringDeserializer, value: jsonDeserializer },
});
const topics = (env.KAFKA_TOPICS ?? 'clicks').split(',');
const stream = await consumer.consume({
  topics,
  autocommit: false,
  mode: 'committed',
  fallbackMode: 'earliest',
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stream.close());
await forwardEvents(stream, { url: env.SHORTLIST_URL ?? 'http://localhost:3000', key: env.SHORTLIST_KEY });
await consumer.close();
