/** A typed array with its shape, row-major. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;
}

/** Named tensors and text metadata: the form in which candidate artefacts live in a bundle (safetensors format). */
export interface TensorFile {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}
