import type { UserEvent } from '../../src/domain/event.js';
import { openStore, type StorePlace } from './store-place.js';

// A process that keeps events and says what became of them, as a line of JSON.
const [place, events] = process.argv.slice(2).map((text) => JSON.parse(text) as unknown) as [
  StorePlace,
  UserEvent[],
];
const store = await openStore(place);
const keeping = await store.keep(events);
await store.close();
process.stdout.write(`${JSON.stringify(keeping)}\n`);
