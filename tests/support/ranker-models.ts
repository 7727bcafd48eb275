import { encodeOnnxModel, type OnnxNode } from '../../src/bundle/onnx-model.js';

/** Models of `columns` features by what they do; all of them give one finite score per row. */
export type RankerModel = (columns: number) => Uint8Array;

/** The scores of a plain model are the features by weights that differ from column to column. */
function encodeRanker(columns: number, tail: readonly OnnxNode[]): Uint8Array {
  return encodeOnnxModel({
    name: 'test',
    inputs: [{ name: 'features', type: 'float32', shape: ['rows', columns] }],
    outputs: [{ name: 'scores', type: 'float32', shape: ['rows'] }],
    nodes: [
      constant('weights', { value_floats: Float32Array.from({ length: columns }, (_, at) => weightOf(at)) }),
      ...listNumbers({ zero: 0, one: 1, two: 2, tenth: 0.1, half: 0.5, thousand: 1000, 'last scored': 512 }),
      constant('rows axis', { value_ints: Int32Array.of(0) }),
      constant('columns axis', { value_ints: Int32Array.of(1) }),
      // Logarithms of what a feature is beyond 0 keep large features from drowning the others.
      node('Abs', ['features'], 'sizes'),
      node('Add', ['sizes', 'one'], 'positive'),
      node('Log', ['positive'], 'scaled'),
      node('MatMul', ['scaled', 'weights'], 'sums'),
      node('Mul', ['sums', 'zero'], 'nothing'),
      node('Add', ['nothing', 'one'], 'each'),
      node('CumSum', ['each', 'first axis'], 'places'),
      ...tail,
    ],
  });
}

const weightOf = (column: number): number => Math.sin(column + 1);

function constant(name: string, attributes: OnnxNode['attributes'] & object): OnnxNode {
  return { operator: 'Constant', inputs: [], outputs: [name], attributes };
}

function listNumbers(values: Record<string, number>): OnnxNode[] {
  return [
    constant('first axis', { value_int: 0 }),
    ...Object.entries(values).map(([name, value]) =>
      constant(name, { value_floats: Float32Array.of(value) }),
    ),
  ];
}

function node(
  operator: string,
  inputs: readonly string[],
  output: string,
  attributes: OnnxNode['attributes'] = {},
): OnnxNode {
  return { operator, inputs, outputs: [output], attributes };
}

const model =
  (...tail: OnnxNode[]): RankerModel =>
  (columns) =>
    encodeRanker(columns, tail);

const ROWS = { axes: Int32Array.of(0), keepdims: 1 };

/** A row has one score, whoever stands beside it. */
export const INDEPENDENT: Readonly<Record<string, RankerModel>> = {
  plain: model(node('Identity', ['sums'], 'scores')),
  'with a sigmoid': model(node('Sigmoid', ['sums'], 'scores')),
  'far from zero': model(node('Add', ['sums', 'thousand'], 'scores')),
  'that is almost constant': model(
    node('Div', ['sums', 'thousand'], 'small'),
    node('Add', ['small', 'one'], 'scores'),
  ),
  'quantised by fixed scales': model(
    node('Squeeze', ['tenth'], 'scale'),
    node('QuantizeLinear', ['scaled', 'scale'], 'bytes'),
    node('DequantizeLinear', ['bytes', 'scale'], 'about'),
    node('MatMul', ['about', 'weights'], 'scores'),
  ),
  'with a softmax over the columns of a row': model(
    node('Softmax', ['scaled'], 'shares', { axis: 1 }),
    node('MatMul', ['shares', 'weights'], 'scores'),
  ),
};

/** The score of a row depends on what else is in the run; none of it is random. */
export const DEPENDENT: Readonly<Record<string, RankerModel>> = {
  'quantised by the rows of a run': model(
    {
      operator: 'DynamicQuantizeLinear',
      inputs: ['scaled'],
      outputs: ['bytes', 'scale', 'zero point'],
    },
    node('DequantizeLinear', ['bytes', 'scale', 'zero point'], 'about'),
    node('MatMul', ['about', 'weights'], 'scores'),
  ),
  'that subtracts the mean of the rows': model(
    node('ReduceMean', ['sums'], 'mean', ROWS),
    node('Sub', ['sums', 'mean'], 'scores'),
  ),
  'with a softmax over the rows': model(node('Softmax', ['sums'], 'scores', { axis: 0 })),
  'that normalises by the rows, as batch normalisation in training does': model(
    node('ReduceMean', ['sums'], 'mean', ROWS),
    node('Sub', ['sums', 'mean'], 'centred'),
    node('Mul', ['centred', 'centred'], 'squares'),
    node('ReduceMean', ['squares'], 'variance', ROWS),
    node('Add', ['variance', 'tenth'], 'safe'),
    node('Sqrt', ['safe'], 'deviation'),
    node('Div', ['centred', 'deviation'], 'scores'),
  ),
  'that divides by the largest row': model(
    node('Exp', ['sums'], 'powers'),
    node('ReduceMax', ['powers'], 'largest', ROWS),
    node('Div', ['powers', 'largest'], 'scores'),
  ),
  'that knows the place of a row': model(
    node('Mul', ['places', 'tenth'], 'tenths'),
    node('Sub', ['sums', 'tenths'], 'scores'),
  ),
  'that looks at the row before': model(
    node('CumSum', ['sums', 'first axis'], 'until', { exclusive: 1 }),
    node('Div', ['until', 'places'], 'before'),
    node('Mul', ['before', 'half'], 'part'),
    node('Add', ['sums', 'part'], 'scores'),
  ),
  'that knows how many rows there are': model(
    node('ReduceSum', ['each', 'rows axis'], 'count', { keepdims: 1 }),
    node('Div', ['sums', 'count'], 'scores'),
  ),
  'that scores the first 512 rows only': model(
    node('LessOrEqual', ['places', 'last scored'], 'scored'),
    node('Where', ['scored', 'sums', 'nothing'], 'scores'),
  ),
};

/** The same rows get other scores each time. */
export const RANDOM: Readonly<Record<string, RankerModel>> = {
  'with noise': model(
    node('RandomNormalLike', ['sums'], 'normal'),
    node('Mul', ['normal', 'tenth'], 'noise'),
    node('Add', ['sums', 'noise'], 'scores'),
  ),
  'that draws classes': model(
    node('Sigmoid', ['sums'], 'probabilities'),
    node('Bernoulli', ['probabilities'], 'scores'),
  ),
};

/** Every row gets the same score. */
export const CONSTANT: Readonly<Record<string, RankerModel>> = {
  'of ones': model(node('Identity', ['each'], 'scores')),
  'with a softmax over its only score': model(
    node('Unsqueeze', ['sums', 'columns axis'], 'column'),
    node('Softmax', ['column'], 'shares', { axis: 1 }),
    node('Squeeze', ['shares', 'columns axis'], 'scores'),
  ),
  'whose sigmoid is saturated': model(
    node('Add', ['sums', 'thousand'], 'large'),
    node('Sigmoid', ['large'], 'scores'),
  ),
};
