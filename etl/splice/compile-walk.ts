import { type Codec, type Shape, str } from '../codec';
import { type HourKind, hourKinds } from '../measure';
import { ownValue } from '../own-value';
import { farthest, year1 } from '../time-codec';
import { windowVersions } from '../versions';
import { namedStep } from './named-step';
import { Irregular, type Step, type Walk } from './walk';

/**
 * Wrappers for the functions that move past certain fields, keyed by field name. A wrapper receives such a function and
 * returns a new one. The new function calls the original one, and also collects information about the field.
 */
export type Hooks = Readonly<Record<string, (step: Step) => Step>>;

/**
 * Generates a function that moves past consecutive encoded values without decoding them: one value for each codec, in
 * order. The function is derived from the codecs' shapes. It throws `Irregular` for bytes that the codecs would never
 * write, even if the codecs can read them.
 *
 * @param hooks wrappers for the functions that move past fields of the outermost structures
 */
export function compileWalk(codecs: readonly Codec<unknown>[], hooks: Hooks = {}): Step {
  return inSequence(codecs.flatMap((codec) => piecesOf(codec.shape, hooks)));
}

/**
 * A part of the function that `compileWalk` generates, in one of three forms:
 *
 * - `skip`: skips this number of bytes. If `hours` is set, the bytes are a number of resource hours of this kind, which
 *   is added to `Walk.hours`.
 * - `references`: moves past string indexes. The groups are in the form that `Walk.references` expects.
 * - `step`: creates a `Step` that skips `lead` bytes and then moves past a value.
 *
 * Adjacent parts are joined where possible, because calling a function takes as long as moving past a value.
 */
type Piece =
  | { readonly skip: number; readonly hours?: HourKind }
  | { readonly references: readonly number[] }
  | { readonly step: (lead: number) => Step };

/** A shape that contains values of another codec, such as a list or a map. */
type Counted = Extract<Shape, { readonly of: Codec<unknown> }>;

function piecesOf(shape: Shape, hooks: Hooks): Piece[] {
  switch (shape.kind) {
    case 'number':
      return [{ skip: 8, hours: shape.hours }];
    case 'bool':
      return [{ step: bool }];
    case 'string':
      return [{ references: [1] }];
    case 'time':
      return [{ step: time }];
    case 'optional':
      return [optionalPiece(shape.of.shape, hooks)];
    case 'embedded': {
      const step = stepOf(shape.of.shape, hooks);
      return [{ step: (lead) => embedded(lead, false, step) }];
    }
    case 'list':
    case 'map':
      return [countedPiece(shape, false)];
    case 'pair':
      return shape.of.flatMap((codec) => piecesOf(codec.shape, {}));
    case 'struct': {
      const step = structure(shape, hooks);
      return [{ step: (lead) => (walk, at) => step(walk, at + lead) }];
    }
    case 'named': {
      const bodies = Object.entries(shape.bodies).map(
        ([name, body]) => [name, compileWalk([body], hooks)] as const,
      );
      const step = namedStep(Object.fromEntries(bodies));
      return [{ step: (lead) => (walk, at) => step(walk, at + lead) }];
    }
  }
}

function optionalPiece(shape: Shape, hooks: Hooks): Piece {
  if (shape.kind === 'list' || shape.kind === 'map') return countedPiece(shape, true);
  if (shape.kind === 'embedded') {
    const step = stepOf(shape.of.shape, hooks);
    return { step: (lead) => embedded(lead, true, step) };
  }
  const step = stepOf(shape, hooks);
  return { step: (lead) => optional(lead, step) };
}

function countedPiece(shape: Counted, isOptional: boolean): Piece {
  const value = piecesOf(shape.of.shape, {});
  const pieces = joined(shape.kind === 'map' ? [{ references: [1] }, ...value] : value);
  const [only, ...others] = pieces;
  if (isOptional && others.length === 0 && only !== undefined && 'references' in only) {
    const [length = 0, ...more] = only.references;
    // An optional list or map whose entries each consist of n string indexes is written as -n (see `Walk.references`).
    if (length > 0 && more.length === 0) return { references: [-length] };
  }
  const least = shape.of.least + (shape.kind === 'map' ? str.least : 0);
  return { step: (lead) => counted(lead, isOptional, least, inSequence(pieces)) };
}

/** Returns a function that moves past one value of the given shape. */
function stepOf(shape: Shape, hooks: Hooks): Step {
  return shape.kind === 'struct' ? structure(shape, hooks) : inSequence(piecesOf(shape, hooks));
}

function inSequence(pieces: readonly Piece[]): Step {
  const steps: Step[] = [];
  let lead = 0;
  let hours: HoursAt[] = [];
  const push = (step: Step) => {
    steps.push(hours.length === 0 ? step : withHours(hours, step));
    lead = 0;
    hours = [];
  };
  for (const piece of joined(pieces)) {
    if ('skip' in piece) {
      if (piece.hours !== undefined) hours.push({ offset: lead, kind: hourKinds.indexOf(piece.hours) });
      lead += piece.skip;
    } else {
      push('step' in piece ? piece.step(lead) : references(lead, piece.references));
    }
  }
  if (hours.length > 0) push(skip(lead));
  const rest = lead;
  const [first] = steps;
  if (first === undefined) return skip(rest);
  if (steps.length === 1 && rest === 0) return first;
  return (walk, at) => {
    for (let i = 0; i < steps.length; i++) at = steps[i]!(walk, at);
    return at + rest;
  };
}

function skip(length: number): Step {
  return (_, at) => at + length;
}

/** A number of resource hours: its offset in bytes, and the index of its kind in `hourKinds`. */
interface HoursAt {
  readonly offset: number;
  readonly kind: number;
}

/** Returns a function that adds resource hours to `Walk.hours`, and then calls `step`. */
function withHours(hours: readonly HoursAt[], step: Step): Step {
  return (walk, at) => {
    for (let i = 0; i < hours.length; i++) {
      const { offset, kind } = hours[i]!;
      walk.hours.add(kind, walk.view.getFloat64(at + offset, true));
    }
    return step(walk, at);
  };
}

function joined(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  for (const piece of pieces) {
    const last = result.at(-1);
    if (last !== undefined && 'references' in last && 'references' in piece) {
      result[result.length - 1] = { references: withGroups(last.references, piece.references) };
    } else {
      result.push(piece);
    }
  }
  return result;
}

/**
 * Concatenates two lists of groups of string indexes (see `Walk.references`). If the last group of the first list and
 * the first group of the second list both have a fixed size, they become one group.
 */
function withGroups(groups: readonly number[], more: readonly number[]): number[] {
  const [last = 0, next = 0] = [groups.at(-1), more[0]];
  return last > 0 && next > 0
    ? [...groups.slice(0, -1), last + next, ...more.slice(1)]
    : [...groups, ...more];
}

function references(lead: number, lengths: readonly number[]): Step {
  const groups = Int32Array.from(lengths);
  return (walk, at) => walk.references(at + lead, groups);
}

function bool(lead: number): Step {
  return (walk, at) => {
    flagAt(walk, at + lead);
    return at + lead + 1;
  };
}

/** Reads a flag. Throws `Irregular` unless the flag is 0 or 1, because our writer never writes another value. */
function flagAt({ view }: Walk, at: number): number {
  const flag = view.getUint8(at);
  if (flag > 1) throw new Irregular();
  return flag;
}

const [earliest, latest] = [-farthest - year1, farthest - year1];

/** Returns a function that moves past a time value. The function makes the same checks as the codec `time`. */
function time(lead: number): Step {
  return ({ view }, at) => {
    at += lead;
    const length = view.getInt32(at, true);
    if ((length !== 15 && length !== 16) || view.getUint8(at + 4) !== length - 14) throw new Irregular();
    const seconds = view.getInt32(at + 5, false) * 2 ** 32 + view.getUint32(at + 9, false);
    if (seconds < earliest || seconds > latest || view.getUint32(at + 13, false) >= 1e9)
      throw new Irregular();
    return at + 4 + length;
  };
}

function optional(lead: number, step: Step): Step {
  return (walk, at) => {
    at += lead;
    return flagAt(walk, at) === 0 ? at + 1 : step(walk, at + 1);
  };
}

/**
 * Returns a function that moves past an embedded structure: a flag (only if optional), a compatibility word that must
 * be 0, then the structure itself.
 */
function embedded(lead: number, isOptional: boolean, step: Step): Step {
  return (walk, at) => {
    at += lead;
    if (isOptional && flagAt(walk, at++) === 0) return at;
    if (walk.view.getInt32(at, true) !== 0) throw new Irregular();
    return step(walk, at + 4);
  };
}

/**
 * Returns a function that moves past a list or map: a flag (only if optional), a count, then the entries. Each entry
 * takes up at least `least` bytes.
 */
function counted(lead: number, isOptional: boolean, least: number, entry: Step): Step {
  return (walk, at) => {
    at += lead;
    if (isOptional && flagAt(walk, at++) === 0) return at;
    const count = walk.count(at, least);
    at += 4;
    for (let i = 0; i < count; i++) at = entry(walk, at);
    return at;
  };
}

function structure({ versions, fields }: Shape & { kind: 'struct' }, hooks: Hooks): Step {
  const bodies: Step[] = [];
  for (let version = versions.oldest; version <= versions.newest; version++) {
    const pieces = fields
      .filter((field) => field.since <= version)
      .flatMap(({ name, codec }) => {
        const own = piecesOf(codec.shape, {});
        const hooked = ownValue(hooks, name)?.(inSequence(own));
        return hooked === undefined
          ? own
          : [
              {
                step:
                  (lead: number): Step =>
                  (walk, at) =>
                    hooked(walk, at + lead),
              },
            ];
      });
    bodies[version] = inSequence(pieces);
  }
  // `walk.version` is the highest version in a record. The versions of its windows do not count.
  const counts = versions !== windowVersions;
  return (walk, at) => {
    const version = walk.view.getUint8(at);
    const body = bodies[version];
    if (body === undefined) throw new Irregular();
    if (counts && version > walk.version) walk.version = version;
    return body(walk, at + 1);
  };
}
