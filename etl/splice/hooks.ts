import type { Step } from './walk';

/**
 * Number of bytes from the start of the properties to their fields: a flag (1), a compatibility word (4) and a version
 * (1).
 */
const propertiesOffset = 1 + 4 + 1;

/**
 * Wraps `step`, which moves past a record's window, so that it also notes whether that window differs from the first
 * record's.
 */
export function watchWindow(step: Step): Step {
  return (walk, at) => walk.recordWindow(step, at);
}

/** Wraps the step over a record's properties so that it also notes their position, for `hasUsualKey`. */
export function noteProperties(step: Step): Step {
  return (walk, at) => {
    walk.properties = walk.bytes[at] === 1 ? at + propertiesOffset : -1;
    return step(walk, at);
  };
}
