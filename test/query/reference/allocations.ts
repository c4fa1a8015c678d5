import type { AllocationSet, Asset, AssetSet } from '../../../etl/model';
import type { AllocationProperties, AllocationRow } from '../../../query/answer';
import type { AllocationRequest, Span } from '../../../query/request';
import { coverSteps } from './covering';
import { type Filtered, passes } from './filter';
import {
  clusterOf,
  computeIdle,
  countsForIdle,
  type Idle,
  idlePiece,
  placeOf,
  resourceCost,
  resources,
} from './idle';
import { commonProperties, mergeOverSets, mergePieces } from './merging';
import { groupName } from './names';
import {
  firstMember,
  isUnmounted,
  type Piece,
  type PieceProperties,
  pieceOf,
  totalCost,
  withoutAdjustments,
} from './piece';
import { type PlannedSet, planSets } from './steps';
import { portions, type StoredAllocations, type StoredAssets } from './stored-sets';

/** An answer of allocations, without notes. */
export interface ReferenceAllocations {
  readonly sets: readonly { readonly window: Span; readonly rows: readonly AllocationRow[] }[];
}

/** Answers a query of allocations from decoded sets, as literally as the contract says it. */
export function referenceAllocations(
  sets: readonly StoredAllocations[],
  assets: readonly StoredAssets[],
  request: AllocationRequest,
): ReferenceAllocations {
  const planned = planSets(request);
  const steps = planned.flatMap((set) => set.steps);
  const piecesOfSteps = coverSteps(
    steps,
    portions(sets, allocationsOf, (piece) => firstMember(piece).cluster),
  );
  const assetsOfSteps = coverSteps(steps, portions(assets, assetsOf, clusterOf));
  const rowsOfSteps = new Map(
    steps.map((step, index) => [
      step,
      answerStep(
        step,
        (piecesOfSteps[index] ?? []).map(({ records }) => records),
        (assetsOfSteps[index] ?? []).flatMap(({ records }) => records),
        request,
      ),
    ]),
  );
  return { sets: planned.map((set) => accumulate(set, rowsOfSteps, request)) };
}

function allocationsOf(set: AllocationSet): Piece[] {
  return [...(set.allocations?.values() ?? [])].filter((record) => record !== null).map(pieceOf);
}

/** The records of a set of assets. */
export function assetsOf(set: AssetSet): Asset[] {
  return [...(set.assets?.values() ?? [])].filter((record) => record !== null);
}

/** The groups of one step by name, idle among them. */
function answerStep(
  step: Span,
  sets: readonly (readonly Piece[])[],
  assets: readonly Asset[],
  request: AllocationRequest,
): Map<string, Piece> {
  const stored = mergeSets(sets);
  const all = request.reconcile ? stored : stored.map(withoutAdjustments);
  const idle = request.idle.include
    ? computeIdle(step, assets, all, { byNode: request.idle.byNode, reconcile: request.reconcile })
    : new Map<string, Idle>();
  const charged = request.idle.share ? all.map((piece) => withItsIdle(piece, idle, request)) : all;

  const remaining = charged.filter((piece) => !isShared(piece, request));
  const shares = shareOut(sharedCost(step, charged, request), remaining, request);
  const kept = remaining.filter((piece) => matches(piece, request));
  const groups = groupPieces(
    kept.map((piece) => named(piece, groupName(request.groups, firstMember(piece)))),
  );
  for (const [name, group] of groups) {
    if (group.members.every(({ container }) => container === '__unmounted__')) continue;
    const shared = group.numbers.sharedCost + (shares.get(name) ?? 0);
    groups.set(name, { ...group, numbers: { ...group.numbers, sharedCost: shared } });
  }
  const idleGroups = groupPieces(shownIdle(idle, all, request));
  return new Map([...groups, ...idleGroups]);
}

/** A container that occurs in several sets becomes one allocation. */
function mergeSets(sets: readonly (readonly Piece[])[]): Piece[] {
  const merged = new Map<string, Piece>();
  for (const piece of sets.flat()) {
    const key = JSON.stringify([firstMember(piece).cluster, piece.name]);
    const before = merged.get(key);
    merged.set(key, before === undefined ? piece : mergeOverSets(before, piece));
  }
  return [...merged.values()];
}

/** An allocation with the part of idle that falls on it. */
function withItsIdle(piece: Piece, idle: ReadonlyMap<string, Idle>, request: AllocationRequest): Piece {
  const place = idle.get(placeOf(piece, request.idle.byNode));
  if (place === undefined || !countsForIdle(piece)) return piece;
  const numbers = { ...piece.numbers };
  for (const resource of resources) {
    if (place.used[resource] === 0) continue;
    numbers[`${resource}Cost`] +=
      (place.cost[resource] * resourceCost(piece, resource)) / place.used[resource];
  }
  return { ...piece, numbers };
}

/** Idle as rows to be merged by name: all of it, or what could not be shared; scaled to what the filter keeps. */
function shownIdle(
  idle: ReadonlyMap<string, Idle>,
  all: readonly Piece[],
  request: AllocationRequest,
): Piece[] {
  const shown: Piece[] = [];
  for (const [key, place] of idle) {
    const there = all.filter((piece) => countsForIdle(piece) && placeOf(piece, request.idle.byNode) === key);
    const kept = there.filter((piece) => matches(piece, request));
    if (request.filter !== undefined && kept.length === 0) continue;
    const cost = { cpu: 0, gpu: 0, ram: 0 };
    for (const resource of resources) {
      if (request.idle.share && place.used[resource] !== 0) continue;
      const keptCost = kept.reduce((sum, piece) => sum + resourceCost(piece, resource), 0);
      const ratio = place.used[resource] === 0 ? 0 : keptCost / place.used[resource];
      const share = request.filter === undefined ? 1 : ratio;
      cost[resource] = place.cost[resource] * share;
    }
    if (request.idle.share && resources.every((resource) => cost[resource] === 0)) continue;
    shown.push(idlePiece(place, cost, idleName(place, request)));
  }
  return shown;
}

function idleName({ cluster, node }: Idle, { idle }: AllocationRequest): string {
  if (!idle.split) return '__idle__';
  return idle.byNode ? `${cluster}/${node}/__idle__` : `${cluster}/__idle__`;
}

function isShared(piece: Piece, { sharing }: AllocationRequest): boolean {
  const { namespace, labels } = firstMember(piece);
  return (
    sharing.namespaces.includes(namespace) ||
    sharing.labels.some(({ key, value }) => labels.get(key) === value)
  );
}

/** What is to be shared in a step: what the shared allocations cost, and a part of the monthly amount. */
function sharedCost(step: Span, all: readonly Piece[], request: AllocationRequest): number {
  const shared = all.filter((piece) => isShared(piece, request));
  const hours = Math.max(0, Math.min(step.end, request.now) - step.start) / 3_600;
  const monthly = (request.sharing.monthlyCost / 730) * hours;
  return shared.reduce((sum, piece) => sum + totalCost(piece), monthly);
}

/**
 * What each group gets of a shared cost, by name. Evenly, every group that there is before the filter gets one share;
 * weighted, what the filter takes away of a group takes its part of the share with it.
 */
function shareOut(
  cost: number,
  remaining: readonly Piece[],
  request: AllocationRequest,
): Map<string, number> {
  const weights = new Map<string, number>();
  let all = 0;
  for (const piece of remaining) {
    if (isUnmounted(piece)) continue;
    const name = groupName(request.groups, firstMember(piece));
    weights.set(name, (weights.get(name) ?? 0) + (matches(piece, request) ? totalCost(piece) : 0));
    all += totalCost(piece);
  }
  const part = (weight: number) => {
    if (request.sharing.split === 'even') return 1 / weights.size;
    return all === 0 ? 0 : weight / all;
  };
  return new Map([...weights].map(([name, weight]) => [name, cost * part(weight)]));
}

function matches(piece: Piece, request: AllocationRequest): boolean {
  return passes(request.filter, filteredView(firstMember(piece)));
}

function filteredView(properties: PieceProperties): Filtered {
  const { cluster, node, namespace, controller, controllerKind, container, pod, providerID } = properties;
  const fields: Record<string, string> = {
    ...{ cluster, node, namespace, controllerKind, container, pod, providerID },
    controllerName: controller,
    controller,
    provider: providerID,
  };
  return { ...properties, field: (name) => fields[name] ?? '' };
}

function named(piece: Piece, name: string): Piece {
  return { ...piece, name };
}

/** Merges the pieces of each name, pair by pair. */
function groupPieces(pieces: readonly Piece[]): Map<string, Piece> {
  const groups = new Map<string, Piece>();
  for (const piece of pieces) {
    const before = groups.get(piece.name);
    groups.set(piece.name, before === undefined ? piece : mergePieces(before, piece));
  }
  return groups;
}

/** Merges the steps of a set, and brings its rows in order. */
function accumulate(
  { window, steps }: PlannedSet,
  groupsOfSteps: ReadonlyMap<Span, ReadonlyMap<string, Piece>>,
  request: AllocationRequest,
): { window: Span; rows: AllocationRow[] } {
  const groups = groupPieces(steps.flatMap((step) => [...(groupsOfSteps.get(step)?.values() ?? [])]));
  const ordered = [...groups.values()].sort(
    (a, b) => totalCost(b) - totalCost(a) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
  const end = request.limit === undefined ? undefined : request.offset + request.limit;
  return { window, rows: ordered.slice(request.offset, end).map((piece) => rowOf(piece, window, request)) };
}

function rowOf(piece: Piece, window: Span, request: AllocationRequest): AllocationRow {
  const details = request.details ?? true;
  const { name, start, end, numbers, pvs, balancers, gpu, raw } = piece;
  return {
    ...numbers,
    name,
    properties: details ? shownProperties(commonProperties(piece.members, request.aggregatedMetadata)) : {},
    window,
    start,
    end,
    pvs: details && pvs.size > 0 ? Object.fromEntries(pvs) : null,
    lbAllocations: details && balancers.size > 0 ? Object.fromEntries(balancers) : null,
    gpuAllocation: details ? gpu : null,
    rawAllocationOnly: details ? raw : null,
  };
}

/** Leaves out what says nothing. */
function shownProperties(properties: PieceProperties): AllocationProperties {
  const shown: AllocationProperties = {};
  for (const field of textFields) if (properties[field] !== '') shown[field] = properties[field];
  for (const field of mapFields) {
    if (properties[field].size > 0) shown[field] = Object.fromEntries(properties[field]);
  }
  if (properties.services.length > 0) shown.services = [...properties.services];
  return shown;
}

const textFields = [
  'cluster',
  'node',
  'container',
  'controller',
  'controllerKind',
  'namespace',
  'pod',
  'providerID',
] as const;
const mapFields = ['labels', 'annotations', 'namespaceLabels', 'namespaceAnnotations'] as const;
