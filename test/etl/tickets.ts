import type { ByteString } from '../../etl/byte-string';
import { bool, embedded, f64, map, optional, str } from '../../etl/codec';
import { adding, described, type Description, field, nothingOwn } from '../../etl/field';
import { hoursIn } from '../../etl/hours-in';
import { first, sum } from '../../etl/merge-parts';
import type { CommonSet, TimeWindow } from '../../etl/model';
import { watchWindow } from '../../etl/splice/hooks';
import type { Walk } from '../../etl/splice/walk';
import { window } from '../../etl/time-codec';
import { expandWindow, spanOf } from '../../etl/time-window';

/*
 * A pipeline that exists only in tests: the costs of support tickets. Its sets have one additional field before the
 * records (`currency`), and a map with the names of urgent tickets after them (`urgentKeys`). The identity of a ticket
 * is its name.
 */

export interface Ticket {
  version: number;
  name: ByteString;
  cluster: ByteString;
  window: TimeWindow;
  cost: number;
}

export interface TicketSet extends CommonSet {
  kind: 'tickets';
  currency: ByteString;
  tickets: Map<ByteString, Ticket | null> | null;
  urgentKeys: Map<ByteString, boolean> | null;
}

const versions = { family: 'tickets', oldest: 1, newest: 3 };

const fields = {
  name: field(str, first),
  cluster: field(str, first),
  window: field(window, expandWindow),
  cost: field(f64, sum),
} satisfies Description<Ticket, void>;

const record = described<Ticket>(versions, fields);

const addTickets = adding<Ticket, void, typeof fields>(fields, nothingOwn);

/**
 * The spec of the pipeline `tickets`. It cannot be type-checked here, because model.ts does not declare the types of
 * this pipeline. `whole-pipeline.test.ts` type-checks it against an extended model.ts.
 */
export const ticketPipeline = {
  setName: 'TicketSet',
  versions,
  record: optional(embedded(record)),
  own: {
    currency: { at: 'before' as const, codec: str },
    urgentKeys: { at: 'after' as const, codec: map(bool) },
  },
  versionOf: ({ version }: Ticket) => version,
  clusterOf: ({ cluster }: Ticket) => cluster,
  addHours: hoursIn(record),
  costOf: ({ cost }: Ticket) => cost,
  identity: ({ name }: Ticket) => name,
  merging: (sets: readonly TicketSet[]) => ({
    window: spanOf(sets.map((set) => set.window)),
    facts: { currency: sets[0]?.currency ?? '' },
    identity: ({ name }: Ticket) => name,
    add: (a: Ticket, b: Ticket) => addTickets(a, b),
  }),
  marks: { urgentKeys: '__urgent__' },
  hasOtherIdentities: () => false,
  walk: {
    hooks: { window: watchWindow },
    identity: { offset: 4 + 1 + 4 + 1 },
    cluster: { position: (_: Walk, start: number) => start + 4 + 1 + 4 + 1 + 4, otherwise: () => '' },
  },
};
