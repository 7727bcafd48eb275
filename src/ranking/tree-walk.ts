import { compileWasm, createOwnMemory, WASM, type WasmCode } from '../bundle/wasm-module.js';
import type { TreeKernel, TreeNode } from './tree-node.js';

/** Rows that go down a tree side by side: what one waits for of the memory, others use to compute. */
const LANES = 8;

/** Rows that are computed at a time: they stay in the nearest cache of the processor while tree after tree goes over them. */
const CHUNK = 256;

/** Of a node: the place of its feature in a row, its threshold, where its first child is, and the value of a leaf. */
const NODE = { feature: 0, threshold: 4, child: 8, value: 12, bytes: 16 } as const;

/**
 * Walks trees row by row without a question: the second child lies behind the first, the result of the comparison is added to the address,
 * and leaves lead to themselves until the deepest is reached. 200 rows by 100 trees of 64 leaves take a fifth of the time of ONNX Runtime
 * (docs/performance.md).
 * Asadi, Lin and de Vries, "Runtime Optimizations for Tree-Based Machine Learning Models", 2014.
 * @param trees one or more
 */
export function createTreeWalk(trees: readonly TreeNode[], { columns }: { columns: number }): TreeKernel {
  const nodes = trees.flatMap(listNodes);
  // A row's values come once more, with the lowest number for those that are not one, when a branch wants them below.
  const width = nodes.some((node) => 'feature' in node && node.missingIsBelow) ? 2 * columns : columns;
  const at = placeParts({ trees: trees.length, nodes: nodes.length, width });
  const own = createOwnMemory(at.end);
  const [addLeaves] = start({ own });
  const memory = own.buffer;
  layOut(trees, { memory, at, columns });
  const input = new Float32Array(memory, at.rows, CHUNK * width);
  const sums = new Float32Array(memory, at.sums, CHUNK);

  return {
    sum: (rows) => {
      const count = rows.length / columns;
      const result = new Float32Array(count);
      for (let first = 0; first < count; first += CHUNK) {
        const size = Math.min(CHUNK, count - first);
        const chunk = rows.subarray(first * columns, (first + size) * columns);
        if (width === columns) input.set(chunk);
        else copyTwice(chunk, columns, input);
        sums.fill(0);
        addLeaves!(at.roots, at.depths, trees.length, at.rows, 4 * width, size, at.sums);
        result.set(sums.subarray(0, size), first);
      }
      return result;
    },
  };
}

/** Addresses in the memory of the kernel. */
interface Places {
  readonly roots: number;
  readonly depths: number;
  readonly nodes: number;
  readonly sums: number;
  readonly rows: number;
  readonly end: number;
}

function copyTwice(rows: Float32Array, columns: number, target: Float32Array): void {
  for (let from = 0, to = 0; from < rows.length; to += columns) {
    for (const end = from + columns; from < end; from++, to++) {
      const value = rows[from]!;
      target[to] = value;
      target[to + columns] = Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value;
    }
  }
}

function placeParts({ trees, nodes, width }: { trees: number; nodes: number; width: number }): Places {
  const depths = 4 * trees;
  const firstNode = Math.ceil((8 * trees) / NODE.bytes) * NODE.bytes;
  const sums = firstNode + NODE.bytes * nodes;
  const rows = sums + 4 * CHUNK;
  return { roots: 0, depths, nodes: firstNode, sums, rows, end: rows + 4 * CHUNK * width };
}

function listNodes(tree: TreeNode): TreeNode[] {
  return 'leaf' in tree ? [tree] : [tree, ...tree.children.flatMap(listNodes)];
}

/** Writes the trees, a whole number or a float32 in each word: the children of a node lie beside each other. */
function layOut(
  trees: readonly TreeNode[],
  { memory, at, columns }: { memory: ArrayBuffer; at: Places; columns: number },
): void {
  const words = new Uint32Array(memory);
  const floats = new Float32Array(memory);
  let next = at.nodes;

  /** Gives the depth below. */
  function write(node: TreeNode, address: number): number {
    const word = address / 4;
    if ('leaf' in node) {
      // Nothing is at most what is not a number: the second child it is, which is the leaf itself.
      words[word + NODE.feature / 4] = 0;
      floats[word + NODE.threshold / 4] = Number.NaN;
      words[word + NODE.child / 4] = address - NODE.bytes;
      floats[word + NODE.value / 4] = node.leaf;
      return 0;
    }
    const child = next;
    next += 2 * NODE.bytes;
    words[word + NODE.feature / 4] = 4 * (node.feature + (node.missingIsBelow ? columns : 0));
    floats[word + NODE.threshold / 4] = node.threshold;
    words[word + NODE.child / 4] = child;
    const [first, second] = node.children;
    return 1 + Math.max(write(first, child), write(second, child + NODE.bytes));
  }

  trees.forEach((tree, index) => {
    const root = next;
    next += NODE.bytes;
    words[at.roots / 4 + index] = root;
    words[at.depths / 4 + index] = write(tree, root);
  });
}

const PARAMETERS = ['roots', 'depths', 'trees', 'rows', 'rowBytes', 'count', 'sums'] as const;
const LANE_NUMBERS = Array.from({ length: LANES }, (_, lane) => lane);
const LOCALS = [
  'depth',
  'root',
  'row',
  'left',
  'sum',
  ...LANE_NUMBERS.flatMap((lane) => [`row${lane}`, `node${lane}`]),
];

/** addLeaves(roots, depths, trees, rows, rowBytes, count, sums): for every tree, for every eight rows, go down and add the leaf. */
const start = compileWasm([
  { name: 'addLeaves', parameters: PARAMETERS, locals: LOCALS, code: writeLoops() },
]);

function writeLoops(): WasmCode {
  const { get, set, i32, f32, loop, block, leaveIf, repeatIf } = WASM;
  const increase = (name: string, by: WasmCode): WasmCode => set(name, i32.add(get(name), by));
  const startLanes = LANE_NUMBERS.map((lane) => [
    set(`row${lane}`, get('row')),
    set(`node${lane}`, get('root')),
    increase('row', get('rowBytes')),
  ]);
  const stepLanes = LANE_NUMBERS.map((lane) => {
    const node = get(`node${lane}`);
    const value = f32.load(i32.add(get(`row${lane}`), i32.load(node, NODE.feature)), 0);
    const isSecond = i32.isZero(f32.isAtMost(value, f32.load(node, NODE.threshold)));
    const offset = i32.shiftLeft(isSecond, i32.of(Math.log2(NODE.bytes)));
    return set(`node${lane}`, i32.add(i32.load(node, NODE.child), offset));
  });
  const addLanes = LANE_NUMBERS.map((lane) => {
    const leaf = f32.load(get(`node${lane}`), NODE.value);
    return f32.store(get('sum'), f32.add(f32.load(get('sum'), 4 * lane), leaf), 4 * lane);
  });
  return [
    loop([
      set('root', i32.load(get('roots'), 0)),
      set('row', get('rows')),
      set('sum', get('sums')),
      set('left', get('count')),
      loop([
        startLanes,
        set('depth', i32.load(get('depths'), 0)),
        block([
          leaveIf(i32.isZero(get('depth'))),
          loop([stepLanes, increase('depth', i32.of(-1)), repeatIf(get('depth'))]),
        ]),
        addLanes,
        increase('sum', i32.of(4 * LANES)),
        increase('left', i32.of(-LANES)),
        repeatIf(i32.isMore(get('left'), i32.of(0))),
      ]),
      increase('roots', i32.of(4)),
      increase('depths', i32.of(4)),
      increase('trees', i32.of(-1)),
      repeatIf(get('trees')),
    ]),
  ].flat();
}
