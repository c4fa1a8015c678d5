import type { Codec, Shape } from './codec';
import { hourKinds, type HourSums } from './measure';

/** Adds the resource hours of a value to `sums`. */
export type AddHours<T> = (value: T, sums: HourSums) => void;

/**
 * Generates a function from a codec's shape. The function adds up the resource hours in a value: the numbers whose
 * codecs were made by `hours` in `codec.ts`.
 */
export function hoursIn<T>(codec: Codec<T>): AddHours<T> {
  return fromShape(codec.shape) ?? (() => undefined);
}

/**
 * Generates the function for a shape. Returns undefined if its values contain no resource hours, so that the caller can
 * skip them.
 */
function fromShape(shape: Shape): AddHours<unknown> | undefined {
  switch (shape.kind) {
    case 'number': {
      const kind = shape.hours === undefined ? -1 : hourKinds.indexOf(shape.hours);
      return kind < 0 ? undefined : (value, sums) => sums.add(kind, value as number);
    }
    case 'optional': {
      const inner = fromShape(shape.of.shape);
      return inner && ((value, sums) => (value === null ? undefined : inner(value, sums)));
    }
    case 'embedded':
      return fromShape(shape.of.shape);
    case 'list':
    case 'map': {
      const inner = fromShape(shape.of.shape);
      return (
        inner &&
        ((values, sums) => {
          for (const value of (values as Map<unknown, unknown>).values()) inner(value, sums);
        })
      );
    }
    case 'pair':
      return ofMembers(shape.names.map((name, index) => [name, shape.of[index]?.shape]));
    case 'struct':
      return ofMembers(shape.fields.map(({ name, codec }) => [name, codec.shape]));
    case 'named': {
      const bodies = new Map(
        Object.entries(shape.bodies).map(([name, { shape: body }]) => [name, fromShape(body)]),
      );
      return (value, sums) => bodies.get((value as { type: string }).type)?.(value, sums);
    }
    default:
      return undefined;
  }
}

function ofMembers(
  members: readonly (readonly [name: string, shape: Shape | undefined])[],
): AddHours<unknown> | undefined {
  const counted = members.flatMap(([name, shape]) => {
    const add = shape && fromShape(shape);
    return add === undefined ? [] : [{ name, add }];
  });
  if (counted.length === 0) return undefined;
  return (value, sums) => {
    for (const { name, add } of counted) add((value as Record<string, unknown>)[name], sums);
  };
}
