/**
 * The pipelines that are federated, named like OpenCost's folders. All other folders are ignored. Workflows import this
 * list. The codecs are in `pipelines.ts` instead of here, so that they are not bundled into the workflows.
 */
export const pipelines = ['allocations', 'assets'] as const;
export type Pipeline = (typeof pipelines)[number];

export function isPipeline(text: string): text is Pipeline {
  return (pipelines as readonly string[]).includes(text);
}

/** A time span in whole unix seconds, from `start` (inclusive) to `end` (exclusive). */
export interface Window {
  readonly start: number;
  readonly end: number;
}

/** Identifies a file by pipeline, resolution and window. */
export interface WindowRef {
  readonly pipeline: Pipeline;
  /** Name of OpenCost's folder for this resolution, such as `1d`, `1h` or `10m0s`. */
  readonly resolution: string;
  readonly window: Window;
}

/**
 * Identifies a window of a pipeline and resolution: `<pipeline>/<resolution>/<start>-<end>`. This is also the path of
 * the window's file under `etl/bingen/`.
 */
export type WindowId = string & { readonly __brand: 'WindowId' };

export function windowId(ref: WindowRef): WindowId {
  return `${ref.pipeline}/${ref.resolution}/${windowName(ref.window)}` as WindowId;
}

/** Returns the name of a window's file: `<start>-<end>`. */
export function windowName(window: Window): string {
  return `${window.start}-${window.end}`;
}

/** Parses a window id. Returns undefined if the text is not a window id. */
export function parseWindowId(text: string): WindowRef | undefined {
  const file = parseWindowFile(text);
  return file !== undefined && file.plain && windowId(file.ref) === text ? file.ref : undefined;
}

/** Returns whether the text is a valid window id. */
export function isWindowId(text: string): text is WindowId {
  return parseWindowId(text) !== undefined;
}

/** A window file that was found by its path. The file name may have a prefix, and may end in `.gz`. */
export interface WindowFile {
  readonly ref: WindowRef;
  /** True if the file name is `<start>-<end>`, without `<prefix>.` and `.gz`. */
  readonly plain: boolean;
}

/**
 * Parses the path of a file under `etl/bingen/`. Returns undefined if it is not a window file of a federated pipeline.
 * For example, it may be a temporary file, or its window may be longer or shorter than its resolution.
 */
export function parseWindowFile(path: string): WindowFile | undefined {
  const parts = windowParts(path);
  if (parts?.resolution === undefined) return undefined;
  const { pipeline, resolution, window, name } = parts;
  if (window.end - window.start !== resolution.seconds) return undefined;
  return { ref: { pipeline, resolution: resolution.name, window }, plain: name === windowName(window) };
}

/**
 * Returns whether a file is named like a window of a federated pipeline but does not fit its folder: the window is
 * shorter or longer than the folder's resolution, or the folder's name is not a resolution. `path` is below
 * `etl/bingen/`.
 */
export function hasWrongLength(path: string): boolean {
  return windowParts(path) !== undefined && parseWindowFile(path) === undefined;
}

function windowParts(path: string) {
  const parts = path.split('/');
  const [pipeline, folder, name] = parts;
  if (parts.length !== 3 || pipeline === undefined || folder === undefined || name === undefined)
    return undefined;
  // Newer exporters may add `<prefix>.` and `.gz`. Names of temporary files start with a dot, so a prefix must not.
  const match = /^(?:[^./][^./]*\.)?(\d{1,12})-(\d{1,12})(?:\.gz)?$/.exec(name);
  if (!isPipeline(pipeline) || match === null) return undefined;
  const window = { start: Number(match[1]), end: Number(match[2]) };
  return { pipeline, resolution: parseResolution(folder), window, name };
}

/** A resolution: its name as OpenCost spells it, and the length of its windows. */
export interface Resolution {
  readonly name: string;
  readonly seconds: number;
}

/**
 * Parses a resolution in any spelling (`1d`, `24h`, `10m`, `10m0s`). The result has OpenCost's spelling: `<n>d` for
 * whole days, `<n>h` for whole hours, otherwise a Go duration. Returns undefined if the text is not a duration.
 */
export function parseResolution(text: string): Resolution | undefined {
  const match = /^(?:(\d{1,5})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,7})s)?$/.exec(text);
  if (match === null) return undefined;
  const [days, hours, minutes, rest] = match.slice(1).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
  ];
  const seconds = days * 86_400 + hours * 3_600 + minutes * 60 + rest;
  return seconds > 0 ? { name: resolutionName(seconds), seconds } : undefined;
}

function resolutionName(seconds: number): string {
  if (seconds % 86_400 === 0) return `${seconds / 86_400}d`;
  if (seconds % 3_600 === 0) return `${seconds / 3_600}h`;
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor((seconds % 3_600) / 60)];
  return `${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${seconds % 60}s`;
}

/**
 * Returns a readable text: the resolution and the start of the window. The start is a date if the window starts and
 * ends at midnight UTC (`1d 2026-11-19`). Otherwise it has a time (`1h 2026-11-19T08:00Z`).
 */
export function describeWindow(ref: WindowRef): string {
  const start = new Date(ref.window.start * 1000).toISOString();
  const wholeDays = ref.window.start % 86_400 === 0 && ref.window.end % 86_400 === 0;
  return `${ref.resolution} ${wholeDays ? start.slice(0, 10) : `${start.slice(0, 16)}Z`}`;
}
