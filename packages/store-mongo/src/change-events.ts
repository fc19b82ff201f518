import type { EventRecord } from "@chat21/engine";
import type { mongo } from "mongoose";
import { chunksOf } from "./chunks-of.ts";
import type { Database } from "./database.ts";
import type { EventDocument, EventKey } from "./documents.ts";
import { toEventRecord } from "./event-codec.ts";
import { type Ticks, toTimestamp } from "./logical-time.ts";
import type { Seat } from "./seats.ts";
import { clip } from "./spans.ts";

type Session = mongo.ClientSession;

/** The events of a seat that are asked for. */
export interface Wanted {
  readonly seat: Seat;
  /** Events up to this number are known. */
  readonly known: number;
  /** Older events are known, too. `null`: none are. */
  readonly since: Ticks | null;
}

/** The newest visible events of a seat. */
export interface Gathered {
  readonly seat: Seat;
  /** Newest first; one more than asked for where there are more. */
  readonly events: readonly EventRecord[];
  /** Numbers up to this one are known or hidden from this user. `null`: more may be left. */
  readonly floor: number | null;
}

interface Walk extends Gathered {
  readonly wanted: Wanted;
  /** Numbers to look at, the newest first. */
  readonly numbers: Iterator<number>;
  readonly events: EventRecord[];
  floor: number | null;
}

/** Numbers of a seat that the first round looks at: mostly one or two events are new. Each further round looks at more. */
const firstWidth = 2;
const growth = 4;

const keysPerQuery = 2_000;

const nameOf = ({ app, conversation, seq }: EventKey) => `${app}\n${conversation}\n${seq}`;

function* numbersDown({ seat: { member, conversation }, known }: Wanted): Generator<number> {
  for (const [from, to] of clip(member.intervals, known + 1, conversation.head).reverse()) {
    for (let seq = to; seq >= from; seq -= 1) yield seq;
  }
}

function takeNext(numbers: Iterator<number>, count: number): number[] {
  const seqs: number[] = [];
  while (seqs.length < count) {
    const next = numbers.next();
    if (next.done === true) break;
    seqs.push(next.value);
  }
  return seqs;
}

function charactersOf({ events }: Walk, { each, eventOverhead }: GatherLimits): number {
  return events.slice(0, each).reduce((sum, { body }) => sum + body.length + eventOverhead, 0);
}

/** The walks from the front that fit. The first one is always kept, but nothing more of it is read. */
function fitting(walks: readonly Walk[], limits: GatherLimits): readonly Walk[] {
  let left = limits.characters;
  const end = walks.findIndex((walk) => {
    left -= charactersOf(walk, limits);
    return left < 0;
  });
  return end < 0 ? walks : walks.slice(0, Math.max(1, end));
}

/** How much one gathering reads. */
export interface GatherLimits {
  /** Events of each seat, at most. */
  readonly each: number;
  /** Characters of all, at most. */
  readonly characters: number;
  /** Characters that each event costs beside its body. */
  readonly eventOverhead: number;
}

/** Reads the newest events of many seats in rounds, each of which is one query for all of them. */
export function createChangeEvents({ collections, queryTimeoutMs: maxTimeMS }: Database) {
  const { events } = collections;

  async function find(ids: readonly EventKey[], since: Ticks | null, session: Session) {
    const found = new Map<string, EventDocument>();
    for (const chunk of chunksOf(ids, keysPerQuery)) {
      const _id = { $in: chunk };
      const where = since === null ? { _id } : { _id, at: { $gte: toTimestamp(since) } };
      const page = await events.find(where, { session, maxTimeMS, batchSize: keysPerQuery }).toArray();
      for (const event of page) found.set(nameOf(event._id), event);
    }
    return found;
  }

  async function lookFurther(walks: readonly Walk[], width: number, session: Session): Promise<void> {
    const looks = walks.map((walk) => {
      const { _id } = walk.seat.conversation;
      const ids = takeNext(walk.numbers, width).map((seq) => ({ ..._id, seq }));
      return { walk, ids };
    });
    for (const [since, alike] of Map.groupBy(looks, ({ walk }) => walk.wanted.since)) {
      const found = await find(
        alike.flatMap(({ ids }) => ids),
        since,
        session,
      );
      for (const { walk, ids } of alike) {
        for (const id of ids) {
          const event = found.get(nameOf(id));
          // Numbers have no holes: an event that is not found is older.
          if (event === undefined) walk.floor = id.seq;
          if (event === undefined) break;
          if (event.hiddenFor !== walk.seat.member.account.user) walk.events.push(toEventRecord(event));
        }
        if (ids.length < width) walk.floor ??= walk.wanted.known;
      }
    }
  }

  /** In the order of `wanted`, from its front, as far as `characters` reach; always at least one. */
  return async function gatherEvents(
    wanted: readonly Wanted[],
    limits: GatherLimits,
    session: Session,
  ): Promise<readonly Gathered[]> {
    let walks: readonly Walk[] = wanted.map((one) => ({
      ...{ wanted: one, seat: one.seat, numbers: numbersDown(one) },
      ...{ events: [], floor: null },
    }));
    for (let width = firstWidth; ; width *= growth) {
      const isTooLarge = (walk: Walk) => charactersOf(walk, limits) > limits.characters;
      const open = walks.filter(
        (walk) => walk.floor === null && walk.events.length <= limits.each && !isTooLarge(walk),
      );
      if (open.length === 0) return walks;
      await lookFurther(open, Math.min(width, limits.each + 1), session);
      walks = fitting(walks, limits);
    }
  };
}
