import t from 'tap';
import { parseIsoTime } from '../../src/domain/parse-iso-time.js';

const CASES: [text: string, iso: string | undefined][] = [
  ['2024-01-31', '2024-01-31T00:00:00.000Z'],
  ['2024-01-31T10:20', '2024-01-31T10:20:00.000Z'],
  ['2024-01-31t10:20:30z', '2024-01-31T10:20:30.000Z'],
  ['2024-01-31 10:20:30.25', '2024-01-31T10:20:30.250Z'],
  ['2024-01-31 10:20+0130', '2024-01-31T08:50:00.000Z'],
  ['2024-01-31T10:20:30.5-05:00', '2024-01-31T15:20:30.500Z'],
  ['0013-10-30', '0013-10-30T00:00:00.000Z'],
  ['0013-10-30 20:00', '0013-10-30T20:00:00.000Z'],
  ['0013-10-30t20:00+01:00', '0013-10-30T19:00:00.000Z'],
  ['2024-02-30', undefined],
  ['2024-01-31T25:00', undefined],
  ['2024-01-31T10:20+99:00', undefined],
  ['31.01.2024', undefined],
  ['2024-01-31T10', undefined],
  ['', undefined],
];

t.test('a time is what ISO 8601 says, however it is written, and nothing else', async (t) => {
  for (const [text, iso] of CASES) {
    const seconds = parseIsoTime(text);
    t.equal(Number.isNaN(seconds) ? undefined : new Date(seconds * 1000).toISOString(), iso, text);
  }
});
