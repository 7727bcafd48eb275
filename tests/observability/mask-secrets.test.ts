import t from 'tap';
import { createApiKey } from '../../src/config/api-keys.js';
import { maskSecrets } from '../../src/observability/mask-secrets.js';

t.test('credentials of URLs are masked, addresses stay', async (t) => {
  t.equal(
    maskSecrets('connect rediss://user:hunter2@redis.internal:6380/2 and http://x:y@h'),
    'connect rediss://[redacted]@redis.internal:6380/2 and http://[redacted]@h',
  );
  t.equal(maskSecrets('redis://:p%40ss@a:1,b:2/m'), 'redis://[redacted]@a:1,b:2/m');
  for (const text of ['http://127.0.0.1:3000/docs?mail=a@b.example', 'a@b.example', '"http://a","b@c"']) {
    t.equal(maskSecrets(text), text);
  }
});

t.test('the session of a visitor is masked in a query', async (t) => {
  t.equal(
    maskSecrets('"/recommendations/42?sessionId=v-6yTq%20Zc&limit=0","x":1'),
    '"/recommendations/42?sessionId=[redacted]&limit=0","x":1',
  );
  t.equal(maskSecrets('/r?limit=0&sessionId=v-17'), '/r?limit=0&sessionId=[redacted]');
  for (const text of ['sessionId=v-17', 'sessionId is wrong']) t.equal(maskSecrets(text), text);
});

t.test('keys and signed tokens are masked wherever they stand', async (t) => {
  const { key, entry } = createApiKey('app', ['read']);
  t.equal(maskSecrets(`/popular?key=${key}&limit=1`), '/popular?key=[redacted]&limit=1');
  t.equal(maskSecrets(`"Bearer ${key}"`), '"Bearer [redacted]"');
  t.equal(maskSecrets(`token=eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2ln, next`), 'token=[redacted], next');
  for (const text of [entry, 'sl_', 'eyJ', 'eyJhbGci.x', 'tsl_x']) t.equal(maskSecrets(text), text);
});
