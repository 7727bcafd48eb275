import { InferenceSession } from 'onnxruntime-node';
import { ShortlistError } from '../domain/errors.js';
import { decodeOnnxGraph, findOnnxHeader } from './onnx-model.js';

/** Name, type and shape of an input or output, as the model declares them. */
export type ValueMetadata = InferenceSession.ValueMetadata;

// By itself ONNX Runtime (1.29 and newer) reports its use to Microsoft: it calls out, keeps an id and a database in the home
// folder, and logs to /tmp. It reads this variable when the first session is made; whoever sets it decides.
// oxlint-disable-next-line no-restricted-properties -- it is read by the library, not by us
process.env['ORT_DISABLE_TELEMETRY'] ??= '1';

const SESSION_OPTIONS: InferenceSession.SessionOptions = {
  interOpNumThreads: 1,
  logSeverityLevel: 4, // what fails is thrown; the library's own lines on stderr would say it twice
};

/**
 * The newest versions that ONNX Runtime 1.30 reads: of the file format (IR), and of operator sets by domain.
 * A test asks it.
 */
export const ONNX_LIMITS = { irVersion: 13, operatorSets: { '': 26, 'ai.onnx.ml': 5 } } as const;

/**
 * A session of ONNX Runtime for a model; whoever opens it releases it.
 * @param options.what what the model is of, for errors: `ranker 'onnx'`
 * @param options.threads of one operator; by default 1, because two were slower than one when every core has its own process
 * @throws ShortlistError INVALID_BUNDLE when the bytes are no model that ONNX Runtime can run, with every reason that is known and
 * what to do
 */
export async function openOnnxSession(
  model: Uint8Array,
  { what, threads = 1 }: { what: string; threads?: number },
): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(ownBytes(model), { ...SESSION_OPTIONS, intraOpNumThreads: threads });
  } catch (cause) {
    const problems = listReadingProblems(model);
    const reason = problems.length === 0 ? `: ${messageOf(cause)}${adviseOn(cause)}` : '.';
    throw new ShortlistError(
      'INVALID_BUNDLE',
      `The model of ${what} (${model.length} bytes) cannot be read as ONNX${reason}`,
      { cause, problems },
    );
  }
}

/** Why ONNX Runtime cannot open a file, as far as the file says it: one sentence each, with what to do. */
function listReadingProblems(model: Uint8Array): string[] {
  const header = findOnnxHeader(model);
  if (header === undefined) return [];
  const { irVersion, operatorSets, externalFiles, functionDomains } = header;
  const limits: Readonly<Record<string, number>> = ONNX_LIMITS.operatorSets;
  const newer = [...operatorSets].filter(([domain, version]) => version > (limits[domain] ?? Infinity));
  const known = [...Object.keys(limits), ...RUNTIME_DOMAINS, ...functionDomains];
  const foreign = decodeOnnxGraph(model).nodes.filter(({ domain }) => !known.includes(domain));
  return [
    ...(irVersion > ONNX_LIMITS.irVersion
      ? [
          `its ONNX IR version is ${irVersion}, and at most ${ONNX_LIMITS.irVersion} can be read: set model.ir_version = ` +
            `${ONNX_LIMITS.irVersion} before it is saved`,
        ]
      : []),
    ...newer.map(
      ([domain, version]) =>
        `its operator set of ${domain || 'ai.onnx'} is ${version}, and at most ${limits[domain]} can be read: export it for ` +
        'that one (target_opset in skl2onnx and onnxmltools, opset_version in torch.onnx.export)',
    ),
    ...(externalFiles.length === 0
      ? []
      : [
          `its weights lie in another file (${externalFiles.join(', ')}): export it with the weights inside ` +
            '(external_data=False, or onnx.save_model)',
        ]),
    ...new Set(
      foreign.map(
        ({ operator, domain }) =>
          `it uses operators that ONNX Runtime does not have (${operator} of ${domain}): export it with standard ones`,
      ),
    ),
  ];
}

/** Domains of operators that ONNX Runtime has beside those of ONNX; the first is ONNX's own under its long name. */
const RUNTIME_DOMAINS = ['ai.onnx', 'com.microsoft', 'com.microsoft.nchwc', 'com.ms.internal.nhwc'];

/** ONNX Runtime does not take memory that threads share. */
function ownBytes(model: Uint8Array): Uint8Array {
  return model.buffer instanceof SharedArrayBuffer ? model.slice() : model;
}

/** The input or output of that name, or the problem that there is none. */
export function findValue(
  kind: 'input' | 'output',
  name: string,
  values: readonly ValueMetadata[],
): ValueMetadata | string {
  return (
    values.find((value) => value.name === name) ?? `no ${kind} is named '${name}', only ${quoteNames(values)}`
  );
}

/** The names of inputs or outputs, for a message. */
export function quoteNames(values: readonly ValueMetadata[]): string {
  return values.map(({ name }) => `'${name}'`).join(', ');
}

/** An input or output as it is, for the start of a message: name, type and shape. */
export function describeValue(value: ValueMetadata): string {
  return value.isTensor
    ? `'${value.name}' is ${value.type} [${value.shape.join(', ')}],`
    : `'${value.name}' is no tensor,`;
}

/** True for a tensor of a type with these sizes after its first; a size that the model leaves open is left to whoever runs it. */
export function fitsTensor(value: ValueMetadata, type: string, sizes: readonly number[]): boolean {
  if (!value.isTensor || value.type !== type || value.shape.length !== sizes.length + 1) return false;
  return value.shape.slice(1).every((size, axis) => typeof size === 'string' || size === sizes[axis]);
}

/** The message of an error of ONNX Runtime, without the class that it begins with. */
export function messageOf(cause: unknown): string {
  return String(cause).replace(/^\w*Error: /, '');
}

/** What to do about an operator that is missing from a set that is known. */
function adviseOn(cause: unknown): string {
  const message = messageOf(cause);
  if (/is not a registered function|No Op registered|not find an implementation/i.test(message)) {
    return ' It uses operators that ONNX Runtime does not have: export it with standard ones, for a lower opset if need be.';
  }
  return '';
}
