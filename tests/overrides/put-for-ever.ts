import { openLocalOverrides } from '../../src/overrides/local-overrides.js';

// Puts one document after the other, as large as they may be, until it is killed.
const [, , file] = process.argv;
const store = openLocalOverrides({
  file: file!,
  pollMs: 1000,
  scenarios: [],
  isStrict: false,
  observer: { changed: () => undefined, met: () => undefined },
});
for (let round = 0; ; round++) {
  const overrides = Array.from({ length: 500 }, (_, at) => ({ hide: { items: [`${round} ${at}`] } }));
  await store.replace({ overrides }, { ifMatch: '*' });
  if (round === 0) process.send!('put');
}
