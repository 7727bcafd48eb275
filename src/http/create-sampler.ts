/** Says yes for a share of the calls, evenly: at 0.25 to every fourth. */
export function createSampler(share: number): () => boolean {
  let credit = 0;
  return () => {
    credit += share;
    if (credit < 1) return false;
    credit -= 1;
    return true;
  };
}
