import type { DuckDBConnection } from '@duckdb/node-api';
import type { AssetAnswer } from './answer';
import type { Catalog } from './catalog';
import type { AssetRequest } from './request';

export async function answerAssets(
  connection: DuckDBConnection,
  catalog: Catalog,
  request: AssetRequest,
  mostRows: number,
): Promise<AssetAnswer> {
  throw new Error(`not yet ${String(connection)} ${catalog.ingestedAt} ${request.offset} ${mostRows}`);
}
