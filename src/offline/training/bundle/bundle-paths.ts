/** Where a trained bundle has its parts; those of sources are in `candidates/sources.ts`, those of views in the views. */
export const BUNDLE_PATHS = {
  catalogue: 'catalogue.parquet',
  contexts: 'features/contexts.safetensors',
  followers: 'features/followers.safetensors',
  histories: 'histories.safetensors',
  ranker: 'ranker.onnx',
} as const;
