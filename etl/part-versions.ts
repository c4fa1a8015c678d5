import type { Codec, Shape } from './codec';
import { windowVersions } from './versions';

/** Returns the highest codec version in a value, or 0 if the value contains no versions. */
type Highest = (value: unknown) => number;

/**
 * Generates a function from a codec's shape. The function returns the highest codec version in a value, not counting
 * the versions of windows.
 */
export function highestVersionOf<T>(codec: Codec<T>): (value: T) => number {
  const highest = fromShape(codec.shape);
  return highest === undefined ? () => 0 : highest;
}

/**
 * Generates a function that returns the highest codec version in a value of the given shape. If such values contain no
 * versions, generates no function and returns undefined.
 */
function fromShape(shape: Shape): Highest | undefined {
  switch (shape.kind) {
    case 'optional': {
      const inner = fromShape(shape.of.shape);
      return inner && ((value) => (value === null ? 0 : inner(value)));
    }
    case 'embedded':
      return fromShape(shape.of.shape);
    case 'list':
    case 'map': {
      const inner = fromShape(shape.of.shape);
      return inner && ((values) => highestOfAll((values as Map<unknown, unknown>).values(), inner));
    }
    case 'pair':
      return ofMembers(shape.names.map((name, index) => [name, shape.of[index]?.shape]));
    case 'struct': {
      if (shape.versions === windowVersions) return undefined;
      const parts = ofMembers(shape.fields.map(({ name, codec }) => [name, codec.shape]));
      return (value) => Math.max((value as { version: number }).version, parts?.(value) ?? 0);
    }
    case 'named': {
      const bodies = new Map(
        Object.entries(shape.bodies).map(([name, { shape: body }]) => [name, fromShape(body)]),
      );
      return (value) => bodies.get((value as { type: string }).type)?.(value) ?? 0;
    }
    default:
      return undefined;
  }
}

/**
 * Generates a function that returns the highest codec version in an object. The function visits only those members of
 * the object that contain versions. If no member contains versions, generates no function and returns undefined.
 */
function ofMembers(
  members: readonly (readonly [name: string, shape: Shape | undefined])[],
): Highest | undefined {
  const versioned = members.flatMap(([name, shape]) => {
    const highest = shape && fromShape(shape);
    return highest === undefined ? [] : [{ name, highest }];
  });
  if (versioned.length === 0) return undefined;
  return (value) => {
    let most = 0;
    for (const { name, highest } of versioned)
      most = Math.max(most, highest((value as Record<string, unknown>)[name]));
    return most;
  };
}

function highestOfAll(values: Iterable<unknown>, highest: Highest): number {
  let most = 0;
  for (const value of values) most = Math.max(most, highest(value));
  return most;
}
