import type { AllocationSet, Asset } from '../../../etl/model';
import type { AllocationProperties, AllocationRow } from '../../../query/answer';
import type { AllocationRequest } from '../../../query/request';
import type { Span } from '../../../query/span';
import { coverSteps } from './covering';
import { type Filtered, passes } from './filter';
import { finite } from './finite';
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
import { listedBalancers, listedVolumes } from './listed';
import { commonProperties, mergeOverSets, mergePieces } from './merging';
import { groupName } from './names';
import { nodeWords } from './nodes';
import { inOrder, pageOf } from './order';
import { firstMember, type Piece, pieceOf, type PieceProperties, withoutAdjustments } from './piece';
import { isShared, sharedCost, shareOut, tenancyShares } from './sharing';
import { type PlannedSet, planSets } from './steps';
import { assetsOf, portions, type StoredAllocations, type StoredAssets } from './stored-sets';

/**
 * Answer of the reference implementation (see `referenceAllocations`) to an allocation request. Unlike the engine's
 * answer, it has no warnings.
 */
export interface ReferenceAllocations {
  readonly sets: readonly { readonly window: Span; readonly rows: readonly AllocationRow[] }[];
}

/**
 * Answers an allocation request from decoded sets. It follows the query contract literally, so that tests can compare
 * the query engine with it.
 */
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
  const wordsOf = nodeWords(assets);
  const nameOf = (piece: Piece) => {
    const properties = firstMember(piece);
    return groupName(request.groups, properties, wordsOf(properties));
  };
  const rowsOfSteps = new Map(
    steps.map((step, index) => [
      step,
      answerStep(
        step,
        (piecesOfSteps[index] ?? []).map(({ records }) => records),
        (assetsOfSteps[index] ?? []).flatMap(({ records }) => records),
        request,
        nameOf,
      ),
    ]),
  );
  return { sets: planned.map((set) => accumulate(set, rowsOfSteps, request)) };
}

function allocationsOf(set: AllocationSet): Piece[] {
  const records = [...(set.allocations?.values() ?? [])].filter((record) => record !== null);
  return records.map((record) => pieceOf(finite(record)));
}

/** Computes the groups of one time step, including the groups of idle costs. The result is keyed by name. */
function answerStep(
  step: Span,
  sets: readonly (readonly Piece[])[],
  assets: readonly Asset[],
  request: AllocationRequest,
  nameOf: (piece: Piece) => string,
): Map<string, Piece> {
  const stored = mergeSets(sets);
  const all = request.reconcile ? stored : stored.map(withoutAdjustments);
  const idle = request.idle.include
    ? computeIdle(step, assets, all, { byNode: request.idle.byNode, reconcile: request.reconcile })
    : new Map<string, Idle>();
  const charge = (piece: Piece) => (request.idle.share ? withItsIdle(piece, idle, request) : piece);

  const remaining = all.filter((piece) => !isShared(piece, request));
  const cost = sharedCost(step, all.map(charge), request);
  const shares = shareOut(cost, remaining, request, nameOf, (piece) => matches(piece, request));
  const tenancy = tenancyShares(assets, remaining, request);
  const kept = remaining.filter((piece) => matches(piece, request));
  const groups = groupPieces(
    kept.map((piece) => ({
      ...withSharedCost(charge(piece), tenancy.get(piece) ?? 0),
      name: nameOf(piece),
    })),
  );
  for (const [name, group] of groups) {
    if (group.members.every(({ container }) => container === '__unmounted__')) continue;
    groups.set(name, withSharedCost(group, shares.get(name) ?? 0));
  }
  const idleGroups = groupPieces(shownIdle(idle, all, request));
  return new Map([...groups, ...idleGroups]);
}

function withSharedCost(piece: Piece, more: number): Piece {
  const { numbers } = piece;
  return { ...piece, numbers: { ...numbers, sharedCost: numbers.sharedCost + more } };
}

/** Merges all allocations of the same container into one. The sets must be in chronological order. */
function mergeSets(sets: readonly (readonly Piece[])[]): Piece[] {
  const merged = new Map<string, Piece>();
  for (const piece of sets.flat()) {
    const key = JSON.stringify([firstMember(piece).cluster, piece.name]);
    const before = merged.get(key);
    merged.set(key, before === undefined ? piece : mergeOverSets(before, piece));
  }
  return [...merged.values()];
}

/** Adds idle costs to an allocation: its share of the idle costs of its cluster or node. */
function withItsIdle(piece: Piece, idle: ReadonlyMap<string, Idle>, request: AllocationRequest): Piece {
  const place = idle.get(placeOf(piece, request.idle.byNode));
  if (place === undefined || !countsForIdle(piece)) return piece;
  const numbers = { ...piece.numbers };
  for (const resource of resources) {
    if (place.used[resource] === 0) continue;
    const given = (place.cost[resource] * resourceCost(piece, resource)) / place.used[resource];
    numbers[`${resource}Cost`] += given;
    numbers[`${resource}CostIdle`] += given;
  }
  return { ...piece, numbers };
}

/**
 * Converts idle costs to pieces (allocations). Several pieces can have the same name; the caller merges these. If idle
 * costs are shared, returns only those that cannot be shared. If there is a filter, multiplies idle costs by the
 * fraction of the allocations' costs that passes the filter. Omits pieces without costs.
 */
function shownIdle(
  idle: ReadonlyMap<string, Idle>,
  all: readonly Piece[],
  request: AllocationRequest,
): Piece[] {
  const shown: Piece[] = [];
  for (const [key, place] of idle) {
    const there = all.filter((piece) => countsForIdle(piece) && placeOf(piece, request.idle.byNode) === key);
    const kept = there.filter((piece) => matches(piece, request));
    const cost = { cpu: 0, gpu: 0, ram: 0 };
    for (const resource of resources) {
      if (request.idle.share && place.used[resource] !== 0) continue;
      const keptCost = kept.reduce((sum, piece) => sum + resourceCost(piece, resource), 0);
      const ratio = place.used[resource] === 0 ? 0 : keptCost / place.used[resource];
      const share = request.filter === undefined ? 1 : ratio;
      cost[resource] = place.cost[resource] * share;
    }
    if (resources.every((resource) => cost[resource] === 0)) continue;
    shown.push(idlePiece(place, cost, idleName(place, request)));
  }
  return shown;
}

function idleName({ cluster, node }: Idle, { idle }: AllocationRequest): string {
  if (!idle.split) return '__idle__';
  return idle.byNode ? `${cluster}/${node}/__idle__` : `${cluster}/__idle__`;
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

/** Merges all pieces with the same name, one by one in the given order. */
function groupPieces(pieces: readonly Piece[]): Map<string, Piece> {
  const groups = new Map<string, Piece>();
  for (const piece of pieces) {
    const before = groups.get(piece.name);
    groups.set(piece.name, before === undefined ? piece : mergePieces(before, piece));
  }
  return groups;
}

/**
 * Computes one set of the answer: merges the groups of its time steps, sorts the rows, and selects the requested page.
 */
function accumulate(
  { window, steps }: PlannedSet,
  groupsOfSteps: ReadonlyMap<Span, ReadonlyMap<string, Piece>>,
  request: AllocationRequest,
): { window: Span; rows: AllocationRow[] } {
  const groups = groupPieces(steps.flatMap((step) => [...(groupsOfSteps.get(step)?.values() ?? [])]));
  const rows = [...groups.values()].map((piece) => rowOf(piece, window, request));
  return { window, rows: pageOf(inOrder(rows, request.sort), request) };
}

function rowOf(piece: Piece, window: Span, request: AllocationRequest): AllocationRow {
  const details = request.details ?? true;
  const volumes = details && (request.volumes ?? true);
  const { name, start, end, numbers, pvs, balancers, gpu, raw } = piece;
  return {
    ...numbers,
    name,
    properties: details ? shownProperties(commonProperties(piece.members, request.aggregatedMetadata)) : {},
    window,
    start,
    end,
    pvs: volumes ? listedVolumes(pvs) : null,
    lbAllocations: volumes ? listedBalancers(balancers, numbers.loadBalancerCost) : null,
    gpuAllocation: details ? gpu : null,
    rawAllocationOnly: details ? raw : null,
  };
}

/** Converts properties to the form that they have in answers, where empty properties are absent. */
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
