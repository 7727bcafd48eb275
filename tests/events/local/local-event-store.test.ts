import { join } from 'node:path';
import t from 'tap';
import { testEventStore } from '../event-store-contract.js';

testEventStore(t, (t) => ({ store: 'local', folder: join(t.testdir(), 'data/events') }));
