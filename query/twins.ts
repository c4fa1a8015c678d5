import { rowsOf } from './database';
import { servedIdentities } from './rollup';
import { Bindings, unnested } from './sql';
import { paceOf, type Statements } from './statements';

/**
 * SQL that fills the table `twin` with different identities of the same container, for example with different labels.
 * Ignores identities that occur only in window files that queries no longer read. The table also stores whether the
 * controllers differ.
 */
export const findTwins = `
insert into twin
with identity as (${servedIdentities})
select id, name, controllers_differ
from identity join (
  select name, min(controller) <> max(controller) or min(controller_kind) <> max(controller_kind) as controllers_differ
  from identity group by name having count(*) > 1
) using (name)`;

/**
 * The identities of one container in one time step. There are several if, for example, its labels changed. The
 * identities are sorted by the last window in which they occur. For each of them, `firsts` contains the start of the
 * first window in which it occurs.
 */
interface Twins {
  readonly step: number;
  readonly name: number;
  readonly identities: number[];
  readonly firsts: number[];
}

/**
 * Merges identities of the same container in the same time step. A container has several identities in a time step if
 * its labels, services or controller changed.
 *
 * The table `substitute_identity` then contains the merged identities. The table `substitute` contains the identities
 * that were merged, each with the id of its merged identity. A merged identity has all labels, annotations and services
 * of the identities that it replaces. If these have different values for a label, the value that occurs last is used.
 */
export async function substituteTwins(statements: Statements, wholeFiles: boolean): Promise<void> {
  await statements.run(
    'create or replace temp table substitute (step integer, identity integer, substitute integer)',
  );
  await statements.run('create or replace temp table substitute_identity as select * from identity limit 0');
  const rows = await rowsOf(
    statements,
    `select p.step, t.name, a.identity, i.content, min(f.window_start)::double as first, max(f.window_start)::double as last
from allocation a join twin t on t.identity = a.identity
join pick p on p.file = a.file${wholeFiles ? '' : ' and p.cluster = a.cluster'}
join file f on f.id = a.file join identity i on i.id = a.identity
group by all order by p.step, t.name, last, i.content`,
  );
  const pace = paceOf(statements);
  const groups: Twins[] = [];
  await pace.forEach(rows, (row) => {
    const [step, name, identity] = [Number(row['step']), Number(row['name']), Number(row['identity'])];
    const last = groups.at(-1);
    const first = Number(row['first']);
    if (last?.step === step && last.name === name) {
      last.identities.push(identity);
      last.firsts.push(first);
    } else groups.push({ step, name, identities: [identity], firsts: [first] });
  });
  // The same identities often occur in many time steps. All of these time steps use the same merged identity.
  const substitutes = new Map<string, Substitute>();
  const [steps, from, to]: number[][] = [[], [], []];
  await pace.forEach(groups, ({ step, identities, firsts }) => {
    if (identities.length < 2) return;
    const ranks = firsts.map((first) => firsts.filter((other) => other < first).length);
    const key = `${identities.join()} ${ranks.join()}`;
    const substitute = substitutes.get(key) ?? { id: -substitutes.size - 1, identities, ranks };
    substitutes.set(key, substitute);
    for (const identity of identities) {
      steps?.push(step);
      from?.push(identity);
      to?.push(substitute.id);
    }
  });
  if (substitutes.size === 0) return;
  const bindings = new Bindings();
  await statements.run(
    `insert into substitute by name select ${unnested({
      step: bindings.integers(steps ?? []),
      identity: bindings.integers(from ?? []),
      substitute: bindings.integers(to ?? []),
    })}`,
    bindings.values,
  );
  await insertSubstitutes(statements, [...substitutes.values()]);
}

/**
 * An identity that is merged from several `identities` and replaces them. `ranks[i]` is the number of `identities` that
 * first occur in an earlier window than `identities[i]`.
 */
interface Substitute {
  readonly id: number;
  readonly identities: readonly number[];
  readonly ranks: readonly number[];
}

async function insertSubstitutes(statements: Statements, substitutes: readonly Substitute[]): Promise<void> {
  const members = substitutes.flatMap(({ id, identities, ranks }) =>
    identities.map((identity, place) => ({ id, identity, place, rank: ranks[place] ?? place })),
  );
  const bindings = new Bindings();
  const maps = ['labels', 'annotations', 'namespace_labels', 'namespace_annotations'];
  const latest = (column: string) =>
    `list_reduce(list(i.${column} order by m.place), lambda before, after: map_concat(before, after))`;
  // If the controllers differ, choose the non-empty text that is first in alphabetical order.
  const controller = (column: string) => `coalesce(min(nullif(i.${column}, '')), '')`;
  const services = 'list(i.services order by m.rank, m.place)';
  const same = (column: string) =>
    `case when min(i.${column}) = max(i.${column}) then min(i.${column}) else '' end`;
  await statements.run(
    `insert into substitute_identity by name
with member as (
  select ${unnested({
    id: bindings.integers(members.map(({ id }) => id)),
    identity: bindings.integers(members.map(({ identity }) => identity)),
    place: bindings.integers(members.map(({ place }) => place)),
    rank: bindings.integers(members.map(({ rank }) => rank)),
  })})
select m.id, any_value(i.name) as name, min(i.workload) as workload, any_value(i.cluster) as cluster,
  ${['cluster_name', 'node', 'namespace', 'pod', 'container'].map((column) => `any_value(i.${column}) as ${column}`).join(', ')},
  ${controller('controller')} as controller, ${same('controller_kind')} as controller_kind, ${same('provider_id')} as provider_id,
  list_filter(flatten(${services}), lambda one, place: list_position(flatten(${services}), one) = place) as services,
  ${maps.map((column) => `${latest(column)} as ${column}`).join(', ')},
  bool_or(i.plain) as plain, 0 as hash, 0 as name_hash, hash(list(i.content order by m.place), list(m.rank order by m.place)) as content
from member m join identity i on i.id = m.identity group by m.id`,
    bindings.values,
  );
}
