/** A node of a tree. */
export type TreeNode = TreeBranch | { readonly leaf: number };

/** Rows whose feature is at most the threshold go to the first child, others to the second. */
export interface TreeBranch {
  readonly feature: number;
  readonly threshold: number;
  /** Whether what is not a number goes to the first child. */
  readonly missingIsBelow: boolean;
  readonly children: readonly [TreeNode, TreeNode];
}

/** Adds up what trees say of rows. */
export interface TreeKernel {
  /**
   * The sum of the leaves that each row falls into, tree after tree in float32.
   * @param rows [rows × columns]
   */
  sum(rows: Float32Array): Float32Array;
}
