import { readFile } from 'node:fs/promises';
import { InferenceSession } from 'onnxruntime-node';
import t from 'tap';
import { ONNX_LIMITS, openOnnxSession } from '../../src/bundle/onnx-session.js';

const read = (name: string): Promise<Buffer> => readFile(`tests/fixtures/onnx/${name}.onnx`);

t.test('what a file is refused for is said with the limit and the way, all at once', async (t) => {
  const { irVersion, operatorSets } = ONNX_LIMITS;
  await t.rejects(openOnnxSession(await read('too-new'), { what: 'a test' }), {
    code: 'INVALID_BUNDLE',
    message: /^The model of a test \(\d+ bytes\) cannot be read as ONNX\.\n/,
    problems: [
      `its ONNX IR version is 14, and at most ${irVersion} can be read: set model.ir_version = ${irVersion} before it is saved`,
      new RegExp(
        `operator set of ai\\.onnx is 27, and at most ${operatorSets['']} can be read: .*target_opset`,
      ),
    ],
  });
  await t.rejects(openOnnxSession(await read('external-data'), { what: 'a test' }), {
    code: 'INVALID_BUNDLE',
    problems: [/weights lie in another file \(external-data\.onnx\.data\): .*external_data=False/],
  });
  await t.rejects(openOnnxSession(await read('custom-operator'), { what: 'a test' }), {
    code: 'INVALID_BUNDLE',
    problems: [/does not have \(Rank of acme\)/],
  });
});

t.test('the limits are those of the ONNX Runtime that is installed', async (t) => {
  const { irVersion, operatorSets } = ONNX_LIMITS;
  const newest = await read('too-new');
  await t.rejects(InferenceSession.create(newest, { logSeverityLevel: 4 }), {
    message: new RegExp(`max supported IR version: ${irVersion}\\b`),
  });
  // Field 1 of the file is its IR version, a number of one byte.
  t.equal(newest[0], 8);
  const older = Buffer.from(newest).fill(irVersion, 1, 2);
  await t.rejects(InferenceSession.create(older, { logSeverityLevel: 4 }), {
    message: new RegExp(`ai\\.onnx is till opset ${operatorSets['']}\\.`),
  });
});
