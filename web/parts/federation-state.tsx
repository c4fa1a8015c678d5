import type { ConditionView, StatusView } from '../../api/contract';
import { age, moment } from '../format';

const roles: Readonly<Record<ConditionView['role'], string>> = {
  federatedCluster: 'Federated Cluster',
  federator: 'Federator',
  primaryCluster: 'Primary Cluster',
};
/** Number of lines to show at once. All others are shown when the user asks for them. */
const mostLines = 6;

/** Shows the schedule, and lists what a person should do and which conditions do not hold. */
export function FederationState({ status, now }: { readonly status: StatusView; readonly now: number }) {
  const { schedule, toDo, conditions } = status;
  const lines = [
    ...toDo.map((text) => <li key={text}>{withCode(text)}</li>),
    ...conditions.map((one) => (
      <NotHolding key={`${one.cluster}/${one.role}/${one.name}`} condition={one} now={now} />
    )),
  ];
  return (
    <section aria-label="State of the federation">
      {schedule !== undefined && <Schedule schedule={schedule} now={now} />}
      {lines.length > 0 && (
        <div class="notice to-do">
          <strong>To do</strong>
          <ul>{lines.slice(0, mostLines)}</ul>
          {lines.length > mostLines && (
            <details>
              <summary>{lines.length - mostLines} more</summary>
              <ul>{lines.slice(mostLines)}</ul>
            </details>
          )}
        </div>
      )}
    </section>
  );
}

function NotHolding({
  condition: { cluster, role, name, reason, since },
  now,
}: {
  readonly condition: ConditionView;
  readonly now: number;
}) {
  return (
    <li>
      <span class="badge bad">{name}</span> {cluster}, {roles[role]}, for{' '}
      <time dateTime={since} title={`since ${moment(since)} UTC`}>
        {age(since, now)}
      </time>
      {reason === undefined ? '' : `: ${reason}`}
    </li>
  );
}

function Schedule({
  schedule,
  now,
}: {
  readonly schedule: NonNullable<StatusView['schedule']>;
  readonly now: number;
}) {
  if (schedule === 'absent')
    return (
      <p class="about">
        Schedule: <span class="badge bad">missing</span>
      </p>
    );
  const { everyMs, nextRun, paused } = schedule;
  return (
    <p class="about">
      Schedule:{' '}
      {paused !== undefined ? (
        <span class="badge bad">paused</span>
      ) : nextRun === undefined ? (
        'no run is due'
      ) : (
        <>
          next run{' '}
          <time dateTime={nextRun} title={`${moment(nextRun)} UTC`}>
            {Date.parse(nextRun) <= now ? 'now' : `in ${between(now, Date.parse(nextRun))}`}
          </time>
        </>
      )}
      {everyMs !== undefined && `, every ${between(0, everyMs)}`}
    </p>
  );
}

function between(from: number, to: number): string {
  return age(new Date(from).toISOString(), to);
}

/** Shows what is between backticks as code. */
function withCode(text: string) {
  return text.split('`').map((part, at) => (at % 2 === 1 ? <code key={at}>{part}</code> : part));
}
