import t from 'tap';
import type { ContextSpec } from '../../src/domain/context.js';
import { contextOf, toGivenContext } from '../../src/domain/context.js';
import { createContextReader } from '../../src/pipeline/read-context.js';

const SPEC: ContextSpec = {
  timeZone: 'Europe/Berlin',
  fields: [
    { name: 'hour', type: 'hour' },
    { name: 'weekday', type: 'weekday' },
    { name: 'device', type: 'categorical', values: ['desktop', 'mobile'] },
    { name: 'temperature', type: 'numeric' },
  ],
};
const read = createContextReader(SPEC);

/** A Sunday evening in UTC, Monday in Berlin. */
const NOW = Date.parse('2024-06-30T22:30:00Z') / 1000;

function readAll(...given: string[]): (number | undefined)[] {
  const said = given.map((text) => ({
    field: text.slice(0, text.indexOf(':')),
    value: text.slice(text.indexOf(':') + 1),
  }));
  return Array.from(read(said, NOW), (value) => (Number.isNaN(value) ? undefined : value));
}

t.test(
  'the time is that of the request in the time zone of the dataset, all else is not known',
  async (t) => {
    t.same(readAll(), [0, 1, undefined, undefined]);
  },
);

t.test('what the client says goes over it', async (t) => {
  t.same(readAll('device:mobile', 'temperature:-1.5e1', 'hour:13', 'weekday:7'), [13, 7, 1, -15]);
});

t.test('a category that training did not know is as good as none', async (t) => {
  t.same(readAll('device:fridge', 'temperature:0'), [0, 1, undefined, 0]);
});

t.test('an unknown field is refused with the fields there are', async (t) => {
  t.throws(() => readAll('devise:mobile'), {
    code: 'UNKNOWN_CONTEXT',
    message: "Cannot take 'devise' as context. Fields of it: hour, weekday, device, temperature.",
  });
  t.throws(() => createContextReader()([{ field: 'device', value: 'mobile' }], NOW), {
    code: 'UNKNOWN_CONTEXT',
    message: "Cannot take 'device' as context. Fields of it: none.",
  });
  t.throws(() => readAll('constructor:x'), { code: 'UNKNOWN_CONTEXT' });
});

t.test('a field has one value', async (t) => {
  t.throws(() => readAll('device:mobile', 'device:mobile'), {
    code: 'INVALID_REQUEST',
    message: "context 'device' is given twice, a request has one value of it",
  });
});

t.test('numbers are decimal numbers in their range', async (t) => {
  for (const text of ['warm', '', ' 1', '0x10', 'NaN', 'Infinity', '1e39', '1,5', '+1', '.5']) {
    t.throws(
      () => readAll(`temperature:${text}`),
      {
        code: 'INVALID_REQUEST',
        message: `context 'temperature' is ${JSON.stringify(text)}, allowed is a number that a float32 holds`,
      },
      text,
    );
  }
  for (const text of ['24', '-1', '1.5']) {
    t.throws(() => readAll(`hour:${text}`), { message: /allowed is an integer from 0 to 23/ }, text);
  }
  for (const text of ['0', '8', 'Monday']) {
    t.throws(() => readAll(`weekday:${text}`), { message: /an integer from 1 \(Monday\) to 7/ }, text);
  }
});

t.test('a context as a client would say it reads back as it was, to the last bit', async (t) => {
  const columns = [[23], [7], [0], [0.1]].map((values) => Float32Array.from(values));
  const context = contextOf({ ...SPEC, columns }, 0);
  t.same(read(toGivenContext(SPEC, context), NOW), context);
  const unknown = Float32Array.of(4, 2, Number.NaN, Number.NaN);
  t.same(toGivenContext(SPEC, unknown), [
    { field: 'hour', value: '4' },
    { field: 'weekday', value: '2' },
  ]);
  t.same(read(toGivenContext(SPEC, unknown), NOW), unknown);
});
