import type { Step } from './walk';

/** A flag, a compatibility word and a version precede the fields of properties. */
const propertiesOffset = 1 + 4 + 1;

/** Replaces the step over a record's window: notes whether it differs from the first record's. */
export function watchWindow(step: Step): Step {
  return (walk, at) => walk.recordWindow(step, at);
}

/** Replaces the step over a record's properties: notes where they are, for `hasUsualKey`. */
export function noteProperties(step: Step): Step {
  return (walk, at) => {
    walk.properties = walk.bytes[at] === 1 ? at + propertiesOffset : -1;
    return step(walk, at);
  };
}
