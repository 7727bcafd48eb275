/**
 * Paths of the parts of a trained bundle; those of sources are in their definitions, those of views in the
 * views.
 */
export const BUNDLE_PATHS = {
  catalogue: 'catalogue.parquet',
  contexts: 'features/contexts.safetensors',
  followers: 'features/followers.safetensors',
  histories: 'histories.safetensors',
  ranker: 'ranker.onnx',
} as const;
