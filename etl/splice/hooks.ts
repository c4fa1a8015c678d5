import type { Step } from './walk';

/** Bytes between the start of properties and their fields: a flag (1), a compatibility word (4) and a version (1). */
const propertiesOffset = 1 + 4 + 1;

/** Wraps the step over a record's window: also notes whether the window differs from the first record's. */
export function watchWindow(step: Step): Step {
  return (walk, at) => walk.recordWindow(step, at);
}

/** Wraps the step over a record's properties: also notes their position for `hasUsualKey`. */
export function noteProperties(step: Step): Step {
  return (walk, at) => {
    walk.properties = walk.bytes[at] === 1 ? at + propertiesOffset : -1;
    return step(walk, at);
  };
}
