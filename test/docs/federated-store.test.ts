import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { azureConfig } from '../../storage/drivers/azure-config';
import { filesystemConfig } from '../../storage/drivers/filesystem';
import { gcsConfig } from '../../storage/drivers/gcs-config';
import { s3Config } from '../../storage/drivers/s3-config';

const text = readFileSync(path.join(__dirname, '../../docs/reference/federated-store.md'), 'utf8');
const sections = new Map(text.split(/^## /m).map((section) => [section.split('\n')[0] ?? '', section]));

/** Lists the names of all fields in a schema. For a field that is an object, lists the fields inside it instead. */
function namesIn(schema: unknown): string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return namesIn(schema.unwrap());
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape as Record<string, unknown>).flatMap(([name, field]) => {
    const inner = namesIn(field);
    return inner.length === 0 ? [name] : inner;
  });
}

// All fields of `http_config`. In federated-store.md, several sections mention `http_config`, but only the section
// about S3 explains its fields.
const httpNames = new Set(namesIn(s3Config.shape.http_config));

test.each([
  ['S3', s3Config],
  ['GCS', gcsConfig],
  ['AZURE', azureConfig],
  ['FILESYSTEM', filesystemConfig],
] as const)('the reference explains every field of %s', (type, schema) => {
  const section = sections.get(type) ?? '';
  const missing = namesIn(schema)
    .filter((name) => type === 'S3' || !httpNames.has(name))
    .filter((name) => !new RegExp(`\`(?:[a-z_]+\\.)*${name}(?:\`|: )`).test(section));
  expect(missing).toEqual([]);
});
