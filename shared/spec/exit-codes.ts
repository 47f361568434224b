/**
 * What a run tells by its end, beside 0, that it did well, and 1, that it failed in a way that may pass: whoever runs it tries
 * again then.
 */
export const exitCodes = {
  /** Asked to look only, it found a difference. */
  differs: 2,
  /** Trying again does not help: somebody has to decide, or to mend. */
  needsSomebody: 3,
} as const
