import type { Step } from './walk';

/** Number of bytes before the first property of an asset: a flag (1), a compatibility word (4) and a version (1). */
const propertiesOffset = 1 + 4 + 1;

/**
 * Wraps the function that moves past a record's window. The returned function also checks whether the window differs
 * from the window of the first record.
 */
export function watchWindow(step: Step): Step {
  return (walk, at) => walk.recordWindow(step, at);
}

/**
 * Wraps the function that moves past an asset's properties. The returned function also stores the position of the
 * properties, for `hasUsualKey`.
 */
export function noteProperties(step: Step): Step {
  return (walk, at) => {
    walk.properties = walk.bytes[at] === 1 ? at + propertiesOffset : -1;
    return step(walk, at);
  };
}
