import { join } from 'node:path';
import t from 'tap';
import { readEncoderConfig, trainedUntilOf } from '../../src/config/encoder-config.js';

const END = 'output: v\nsimilarity: dot\ntrainedUntil: never\n';
const HISTORY = 'history: { input: h, length: 5, order: oldest-first, padding: 0, padSide: start }\n';

t.test('a spec says what a tower takes, and until when it learned', async (t) => {
  const file = join(
    t.testdir({ 'encoder.yaml': `${HISTORY}${END.replace('never', '2024-03-01T00:00:00Z')}` }),
    'encoder.yaml',
  );
  const config = readEncoderConfig(file);
  t.equal(config.history?.length, 5);
  t.equal(trainedUntilOf(config), Date.UTC(2024, 2, 1) / 1000);
  t.equal(trainedUntilOf({ ...config, trainedUntil: 'never' }), Number.NEGATIVE_INFINITY);
  t.equal(readEncoderConfig('tests/fixtures/encoder/encoder.yaml').golden?.length, 3);
});

const REFUSALS: [string, string, string[]][] = [
  ['nothing that it takes', END, ['it has no history and no userFeatures: say at least one of what the model takes']],
  ['a mask of no history', `userFeatures: { input: u, fields: [{ view: users, field: age }] }\nhistoryMask: m\n${END}`, ['historyLength, historyMask and historyTimes tell of a history: say what history is']],
  ['times of no history', `userFeatures: { input: u, fields: [{ view: users, field: age }] }\nhistoryTimes: { input: t, of: age, unit: days }\n${END}`, ['historyLength, historyMask and historyTimes tell of a history: say what history is']],
  ['one name for items and times', `${HISTORY}historyTimes: { input: h, of: gap, unit: hours }\n${END}`, ["two inputs are called 'h'"]],
  ['one name for two inputs', `${HISTORY}historyMask: h\n${END}`, ["two inputs are called 'h'"]],
  ['no such day', `${HISTORY}${END.replace('never', '2024-13-41T00:00:00Z')}`, ['trainedUntil is 2024-13-41T00:00:00Z: no such time']],
]; // prettier-ignore

for (const [what, text, problems] of REFUSALS) {
  t.test(`a spec with ${what} is refused`, async (t) => {
    const file = join(t.testdir({ 'encoder.yaml': text }), 'encoder.yaml');
    t.throws(() => readEncoderConfig(file), { code: 'INVALID_CONFIG', problems });
  });
}

t.test('a spec of another form is refused with every problem', async (t) => {
  const text = `${HISTORY.replace('oldest-first', 'random')}mask: m\noutput: v\nsimilarity: near\ntrainedUntil: yesterday\n`;
  const file = join(t.testdir({ 'encoder.yaml': text }), 'encoder.yaml');
  t.throws(() => readEncoderConfig(file), {
    code: 'INVALID_CONFIG',
    problems: [
      /history\.order is "random", allowed is one of oldest-first, newest-first/,
      /mask is unknown/,
      /similarity is "near", allowed is one of dot, cosine/,
      /trainedUntil is "yesterday", allowed is a time in UTC as 2024-03-01T00:00:00Z, or never/,
    ],
  });
});
