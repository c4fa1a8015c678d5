import { InvalidArgumentError } from 'commander';

/** Parses the value of a command-line option as a whole number of at least 1. */
export function parseCount(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError('A whole number of at least 1 is expected.');
  return number;
}

/**
 * Parses a time span `START,END`. Both times may be in unix seconds or in RFC 3339 format. Returns whole unix seconds.
 */
export function parseSpan(text: string): { start: number; end: number } {
  const [start, end, ...more] = text.split(',').map(parseMoment);
  if (start === undefined || end === undefined || more.length > 0 || start >= end) {
    throw new InvalidArgumentError('START,END is expected, with START before END.');
  }
  return { start, end };
}

function parseMoment(text: string): number | undefined {
  if (/^\d{1,12}$/.test(text)) return Number(text);
  const milliseconds = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(milliseconds) ? undefined : Math.floor(milliseconds / 1000);
}
