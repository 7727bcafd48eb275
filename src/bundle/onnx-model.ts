import protobuf from 'protobufjs/light.js';

/** A whole number, text, floats, whole numbers or texts, told apart by their type. */
export type OnnxAttribute = number | string | Float32Array | Int32Array | readonly string[];

/** One operator of a graph. */
export interface OnnxNode {
  readonly operator: string;
  /** Operator set; '' is ONNX's own. */
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
}

/** A named tensor that goes into or comes out of a graph; a text dimension is dynamic. */
export interface OnnxValue {
  readonly name: string;
  readonly type: keyof typeof ELEMENT_TYPES;
  readonly shape: readonly (number | string)[];
}

/** A float32 tensor that is part of the model. */
export interface OnnxConstant {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** What this writer knows of an ONNX model. */
export interface OnnxModel {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly constants?: readonly OnnxConstant[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly metadata?: Readonly<Record<string, string>>;
}

const IR_VERSION = 8;
const OPERATOR_SETS = [
  { domain: '', version: 17 },
  { domain: 'ai.onnx.ml', version: 3 },
];
/** Operators that ONNX Runtime has of its own; a model that has none of them does not ask for them. */
const RUNTIME_OPERATORS = { domain: 'com.microsoft', version: 1 };

/** TensorProto.DataType */
const ELEMENT_TYPES = { float32: 1, uint8: 2, int8: 3, int64: 7, float64: 11 } as const;

/** The part of onnx.proto3 that is written here, with its field numbers (github.com/onnx/onnx). */
const SCHEMA = protobuf.Root.fromJSON({
  nested: {
    ModelProto: {
      fields: {
        ir_version: { id: 1, type: 'int64' },
        producer_name: { id: 2, type: 'string' },
        graph: { id: 7, type: 'GraphProto' },
        opset_import: { id: 8, type: 'OperatorSetIdProto', rule: 'repeated' },
        metadata_props: { id: 14, type: 'StringStringEntryProto', rule: 'repeated' },
      },
    },
    OperatorSetIdProto: { fields: { domain: { id: 1, type: 'string' }, version: { id: 2, type: 'int64' } } },
    StringStringEntryProto: { fields: { key: { id: 1, type: 'string' }, value: { id: 2, type: 'string' } } },
    GraphProto: {
      fields: {
        node: { id: 1, type: 'NodeProto', rule: 'repeated' },
        name: { id: 2, type: 'string' },
        initializer: { id: 5, type: 'TensorProto', rule: 'repeated' },
        input: { id: 11, type: 'ValueInfoProto', rule: 'repeated' },
        output: { id: 12, type: 'ValueInfoProto', rule: 'repeated' },
      },
    },
    NodeProto: {
      fields: {
        input: { id: 1, type: 'string', rule: 'repeated' },
        output: { id: 2, type: 'string', rule: 'repeated' },
        op_type: { id: 4, type: 'string' },
        attribute: { id: 5, type: 'AttributeProto', rule: 'repeated' },
        domain: { id: 7, type: 'string' },
      },
    },
    AttributeProto: {
      fields: {
        name: { id: 1, type: 'string' },
        i: { id: 3, type: 'int64' },
        s: { id: 4, type: 'bytes' },
        floats: { id: 7, type: 'float', rule: 'repeated' },
        ints: { id: 8, type: 'int64', rule: 'repeated' },
        strings: { id: 9, type: 'bytes', rule: 'repeated' },
        type: { id: 20, type: 'int32' },
      },
    },
    TensorProto: {
      fields: {
        dims: { id: 1, type: 'int64', rule: 'repeated' },
        data_type: { id: 2, type: 'int32' },
        name: { id: 8, type: 'string' },
        raw_data: { id: 9, type: 'bytes' },
      },
    },
    ValueInfoProto: { fields: { name: { id: 1, type: 'string' }, type: { id: 2, type: 'TypeProto' } } },
    TypeProto: { fields: { tensor_type: { id: 1, type: 'TensorTypeProto' } } },
    TensorTypeProto: {
      fields: { elem_type: { id: 1, type: 'int32' }, shape: { id: 2, type: 'TensorShapeProto' } },
    },
    TensorShapeProto: { fields: { dim: { id: 1, type: 'DimensionProto', rule: 'repeated' } } },
    DimensionProto: { fields: { dim_value: { id: 1, type: 'int64' }, dim_param: { id: 2, type: 'string' } } },
  },
});

/** The bytes of an ONNX file (IR version 8, operator sets 17 and ai.onnx.ml 3). Does not check the graph. */
export function encodeOnnxModel(model: OnnxModel): Uint8Array {
  const message = {
    ir_version: IR_VERSION,
    producer_name: 'shortlist',
    graph: {
      name: model.name,
      node: model.nodes.map(toNodeProto),
      initializer: (model.constants ?? []).map(toTensorProto),
      input: model.inputs.map(toValueInfoProto),
      output: model.outputs.map(toValueInfoProto),
    },
    opset_import: model.nodes.some(({ domain }) => domain === RUNTIME_OPERATORS.domain)
      ? [...OPERATOR_SETS, RUNTIME_OPERATORS]
      : OPERATOR_SETS,
    metadata_props: Object.entries(model.metadata ?? {}).map(([key, value]) => ({ key, value })),
  };
  return SCHEMA.lookupType('ModelProto').encode(message).finish();
}

function toNodeProto({ operator, domain = '', inputs, outputs, attributes = {} }: OnnxNode): object {
  return {
    op_type: operator,
    domain,
    input: inputs,
    output: outputs,
    attribute: Object.entries(attributes).map(([name, value]) => ({ name, ...toAttributeProto(value) })),
  };
}

/** `type` is AttributeProto.AttributeType. */
function toAttributeProto(value: OnnxAttribute): object {
  if (typeof value === 'number') return { type: 2, i: value };
  if (typeof value === 'string') return { type: 3, s: Buffer.from(value) };
  if (value instanceof Float32Array) return { type: 6, floats: value };
  if (value instanceof Int32Array) return { type: 7, ints: value };
  return { type: 8, strings: value.map((text) => Buffer.from(text)) };
}

/** Numbers of a file are little-endian, as those of every processor that Node runs on but one. */
function toTensorProto({ name, shape, data }: OnnxConstant): object {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dims: shape, data_type: ELEMENT_TYPES.float32, raw_data: bytes };
}

function toValueInfoProto({ name, type, shape }: OnnxValue): object {
  const dim = shape.map((size) => (typeof size === 'number' ? { dim_value: size } : { dim_param: size }));
  return { name, type: { tensor_type: { elem_type: ELEMENT_TYPES[type], shape: { dim } } } };
}
