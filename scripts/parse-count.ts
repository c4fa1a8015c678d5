import { InvalidArgumentError } from 'commander';

/** Reads the argument of an option that counts something: at least 1. */
export function parseCount(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError('A whole number of at least 1 is expected.');
  return number;
}
