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

/** The subset of an ONNX model that this file can write. */
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

/** AttributeProto.AttributeType */
const ATTRIBUTE_TYPES = { number: 2, text: 3, floats: 6, numbers: 7, texts: 8 } as const;
/** TensorProto.DataType */
const ELEMENT_TYPES = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
} as const;

/** TensorProto.DataLocation */
const EXTERNAL = 1;

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
        functions: { id: 25, type: 'FunctionProto', rule: 'repeated' },
      },
    },
    FunctionProto: { fields: { name: { id: 1, type: 'string' }, domain: { id: 10, type: 'string' } } },
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
        external_data: { id: 13, type: 'StringStringEntryProto', rule: 'repeated' },
        data_location: { id: 14, type: 'int32' },
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

/** The graph of an ONNX file: its operators, and the names of what goes in and comes out. */
export interface OnnxGraph {
  readonly nodes: readonly ReadOnnxNode[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** An operator as a file has it. An attribute of a type that this writer does not know is undefined. */
export interface ReadOnnxNode extends Required<Omit<OnnxNode, 'attributes'>> {
  readonly attributes: Readonly<Record<string, OnnxAttribute | undefined>>;
}

/** Producer and versions of an ONNX file, as the file states them. */
export interface OnnxHeader {
  readonly irVersion: number;
  /** Versions of operator sets by domain; '' is ONNX's own. */
  readonly operatorSets: ReadonlyMap<string, number>;
  /** Files that weights lie in, beside this one. */
  readonly externalFiles: readonly string[];
  /** Domains of the functions that the file defines. */
  readonly functionDomains: readonly string[];
}

/** @param model bytes that ONNX Runtime has taken for a model */
export function decodeOnnxGraph(model: Uint8Array): OnnxGraph {
  const { graph } = decodeModel(model);
  const namesOf = (values: GraphMessage['input']): readonly string[] => values.map(({ name }) => name);
  return { nodes: graph.node.map(readNode), inputs: namesOf(graph.input), outputs: namesOf(graph.output) };
}

/** @returns undefined when the bytes are no ONNX file */
export function findOnnxHeader(model: Uint8Array): OnnxHeader | undefined {
  let message: ModelMessage;
  try {
    message = decodeModel(model);
  } catch {
    return undefined;
  }
  const { ir_version, opset_import, graph, functions } = message;
  if (Number(ir_version) === 0 || graph === null) return undefined;
  const external = graph.initializer.filter(({ data_location }) => data_location === EXTERNAL);
  const files = external.flatMap(({ external_data }) =>
    external_data.filter(({ key }) => key === 'location').map(({ value }) => value),
  );
  return {
    irVersion: Number(ir_version),
    operatorSets: new Map(opset_import.map(({ domain, version }) => [domain, Number(version)])),
    externalFiles: [...new Set(files)],
    functionDomains: functions.map(({ domain }) => domain),
  };
}

function decodeModel(model: Uint8Array): ModelMessage {
  return SCHEMA.lookupType('ModelProto').decode(model) as unknown as ModelMessage;
}

interface ModelMessage {
  readonly ir_version: unknown;
  readonly opset_import: readonly { readonly domain: string; readonly version: unknown }[];
  readonly graph: GraphMessage;
  readonly functions: readonly { readonly domain: string }[];
}

interface GraphMessage {
  readonly node: readonly NodeMessage[];
  readonly initializer: readonly {
    readonly data_location: number;
    readonly external_data: readonly { readonly key: string; readonly value: string }[];
  }[];
  readonly input: readonly { readonly name: string }[];
  readonly output: readonly { readonly name: string }[];
}

interface NodeMessage {
  readonly op_type: string;
  readonly domain: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute: readonly AttributeMessage[];
}

interface AttributeMessage {
  readonly name: string;
  readonly type: number;
  readonly i: unknown;
  readonly s: Uint8Array;
  readonly floats: readonly number[];
  readonly ints: readonly unknown[];
  readonly strings: readonly Uint8Array[];
}

function readNode(node: NodeMessage): ReadOnnxNode {
  return {
    operator: node.op_type,
    domain: node.domain,
    inputs: node.input,
    outputs: node.output,
    attributes: Object.fromEntries(node.attribute.map((one) => [one.name, readAttribute(one)])),
  };
}

function readAttribute({ type, i, s, floats, ints, strings }: AttributeMessage): OnnxAttribute | undefined {
  const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
  switch (type) {
    case ATTRIBUTE_TYPES.number:
      return Number(i);
    case ATTRIBUTE_TYPES.text:
      return textOf(s);
    case ATTRIBUTE_TYPES.floats:
      return Float32Array.from(floats);
    case ATTRIBUTE_TYPES.numbers:
      return Int32Array.from(ints, Number);
    case ATTRIBUTE_TYPES.texts:
      return strings.map(textOf);
    default:
      return undefined;
  }
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

function toAttributeProto(value: OnnxAttribute): object {
  if (typeof value === 'number') return { type: ATTRIBUTE_TYPES.number, i: value };
  if (typeof value === 'string') return { type: ATTRIBUTE_TYPES.text, s: Buffer.from(value) };
  if (value instanceof Float32Array) return { type: ATTRIBUTE_TYPES.floats, floats: value };
  if (value instanceof Int32Array) return { type: ATTRIBUTE_TYPES.numbers, ints: value };
  return { type: ATTRIBUTE_TYPES.texts, strings: value.map((text) => Buffer.from(text)) };
}

/** Numbers of a file are little-endian, as those of every processor that Node runs on but one. */
function toTensorProto({ name, shape, data }: OnnxConstant): object {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dims: shape, data_type: ELEMENT_TYPES.float32, raw_data: bytes };
}

function toValueInfoProto({ name, type, shape }: OnnxValue): { name: string; type: object } {
  const dim = shape.map((size) => (typeof size === 'number' ? { dim_value: size } : { dim_param: size }));
  return { name, type: { tensor_type: { elem_type: ELEMENT_TYPES[type], shape: { dim } } } };
}

/**
 * A model without one of its operators: what that gave is the only input now. What this page does not know of the format stays.
 * @param index of the operator among the nodes
 */
export function cutOutNode(model: Uint8Array, index: number, input: OnnxValue): Uint8Array {
  return editGraph(model, (graph) => {
    graph.node.splice(index, 1);
    graph.input = [toValueInfoProto(input)];
  });
}

/**
 * An output that ends in a ZipMap of ai.onnx.ml: a list of maps from class to probability, which no server
 * can rank by.
 */
export interface ZipMap {
  /** The output of the model. */
  readonly output: string;
  /** Labels of the classes, by column of the probabilities. */
  readonly classes: readonly string[];
}

/** A model whose outputs that are maps are the probabilities themselves, float32 [rows, classes], under the same names. */
export function cutOffZipMaps(model: Uint8Array): { model: Uint8Array; zipMaps: readonly ZipMap[] } {
  const zipMaps = decodeOnnxGraph(model)
    .nodes.filter(({ operator, domain }) => operator === 'ZipMap' && domain === ML_DOMAIN)
    .map(({ outputs: [output], attributes }) => ({ output: output!, classes: readClasses(attributes) }));
  if (zipMaps.length === 0) return { model, zipMaps };
  const edited = editGraph(model, (graph) => {
    for (const { output, classes } of zipMaps) {
      const node = graph.node.find((each) => each.output.includes(output))!;
      Object.assign(node, { op_type: 'Identity', domain: '', attribute: [] });
      const value = { name: output, type: 'float32', shape: ['rows', classes.length] } as const;
      graph.output = graph.output.map((each) => (each.name === output ? toValueInfoProto(value) : each));
    }
  });
  return { model: edited, zipMaps };
}

const ML_DOMAIN = 'ai.onnx.ml';

/** The labels that an operator gives its classes, in the order of their columns; none when it says nothing. */
export function readClasses(attributes: ReadOnnxNode['attributes']): readonly string[] {
  const names = ['classlabels_strings', 'classlabels_int64s', 'classlabels_ints'];
  const given = names.map((name) => attributes[name]).find((labels) => labels !== undefined);
  if (given instanceof Int32Array) return Array.from(given, String);
  return Array.isArray(given) ? (given as readonly string[]) : [];
}

interface EditedGraph {
  node: { op_type: string; readonly output: readonly string[] }[];
  input: object[];
  output: { readonly name: string }[];
}

/** A model that says of itself that it is no newer than these versions; whether its operators are as old is left to whoever opens it. */
export function lowerVersions(
  model: Uint8Array,
  limits: { irVersion: number; operatorSets: Readonly<Record<string, number>> },
): Uint8Array {
  return editModel(model, (message) => {
    message.ir_version = Math.min(Number(message.ir_version), limits.irVersion);
    for (const set of message.opset_import) {
      set.version = Math.min(Number(set.version), limits.operatorSets[set.domain] ?? Infinity);
    }
  });
}

function editGraph(model: Uint8Array, edit: (graph: EditedGraph) => void): Uint8Array {
  return editModel(model, ({ graph }) => edit(graph));
}

interface EditedModel {
  ir_version: unknown;
  readonly opset_import: { readonly domain: string; version: unknown }[];
  readonly graph: EditedGraph;
}

function editModel(model: Uint8Array, edit: (message: EditedModel) => void): Uint8Array {
  const type = SCHEMA.lookupType('ModelProto');
  const reader = protobuf.Reader.create(model);
  reader.discardUnknown = false;
  const message = type.decode(reader) as unknown as EditedModel;
  edit(message);
  return type.encode(message).finish();
}
