import type { Overlay } from "@chat21/protocol";
import { limits } from "@chat21/protocol";
import type { Kind } from "./kinds/kind.ts";
import { overlayText } from "./kinds/kind.ts";
import { Kinds } from "./kinds/kinds.ts";
import type { Amendment, EventLog } from "./ports/event-log.ts";
import type { ConversationOverlays, OverlayStore } from "./ports/overlay-store.ts";
import type { Store } from "./ports/store.ts";

/** The reads that overlays are checked with. */
export interface OverlayReads {
  readonly events: Pick<EventLog, "read">;
  readonly overlays: Pick<OverlayStore, "amended">;
}

/** A message whose stored overlay differs from the overlay that the log makes. */
export interface OverlayProblem {
  readonly app: string;
  readonly conversation: string;
  readonly seq: number;
  /** JSON texts; `null`: none. */
  readonly stored: string | null;
  readonly expected: string | null;
}

/** Conversations per read. */
const conversationsAtOnce = 100;

/**
 * Compares every stored overlay with the overlay that the log makes. Reads only conversations that hold an overlay or
 * an event that amends. Overlays of version 0 come from databases that erased in place, without an event: they are
 * right as they are.
 */
export async function* checkOverlays(
  stores: OverlayReads,
  kinds?: Readonly<Record<string, Kind>>,
): AsyncGenerator<OverlayProblem, void> {
  const known = new Kinds(kinds);
  for await (const found of everyAmended(stores, known)) {
    const { app, conversation } = found;
    const expected = await overlaysOf(stores, known, found);
    const stored = new Map(found.overlays.map(({ seq, overlay }) => [seq, overlay]));
    for (const seq of new Set([...stored.keys(), ...expected.keys()])) {
      const [is, shouldBe] = [stored.get(seq) ?? null, expected.get(seq)?.overlay ?? null];
      if (is !== shouldBe) yield { app, conversation, seq, stored: is, expected: shouldBe };
    }
  }
}

/**
 * Writes every conversation's overlays anew from its log, one conversation in one write; answers the number of
 * conversations written. It may run beside a server: a conversation that grows meanwhile is computed again. After a
 * kill half way the next run begins anew, and finds the finished ones right.
 */
export async function rebuildOverlays(
  stores: Pick<Store, "events" | "overlays">,
  kinds?: Readonly<Record<string, Kind>>,
): Promise<number> {
  const known = new Kinds(kinds);
  let written = 0;
  for await (const found of everyAmended(stores, known)) {
    let { head } = found;
    const { app, conversation } = found;
    for (;;) {
      const overlays = await overlaysOf(stores, known, { ...found, head });
      if (await stores.overlays.replace({ app, conversation, expectedHead: head }, [...overlays.values()]))
        break;
      const [last] = await stores.events.read({ app, conversation, limit: 1, from: "newest" });
      head = last?.seq ?? 0;
    }
    written += 1;
  }
  return written;
}

async function* everyAmended(
  { overlays }: OverlayReads,
  kinds: Kinds,
): AsyncGenerator<ConversationOverlays, void> {
  for (let after: ConversationOverlays | undefined; ; ) {
    const page = await overlays.amended(kinds.amending, conversationsAtOnce, after);
    yield* page;
    if (page.length < conversationsAtOnce) return;
    after = page.at(-1);
  }
}

/** The overlays that the log makes up to a head, by the messages' numbers. */
async function overlaysOf(
  { events }: OverlayReads,
  kinds: Kinds,
  { app, conversation, head, overlays }: ConversationOverlays,
): Promise<ReadonlyMap<number, Amendment>> {
  const made = new Map<number, Amendment>();
  for (const { seq, overlay } of overlays) {
    const { version, deleted } = JSON.parse(overlay) as Overlay;
    if (version === 0) made.set(seq, { seq, overlay, erases: deleted !== undefined });
  }
  for (let after = 0; ; ) {
    const range = { app, conversation, after, before: head + 1, limit: limits.listMax } as const;
    const page = await events.read({ ...range, from: "oldest", types: kinds.amending });
    for (const event of page) {
      const amends = kinds.of(event.type)?.amends;
      if (amends === undefined) continue;
      for (const seq of amends.targets(event)) {
        const before = made.get(seq);
        const amended = amends.apply(
          before === undefined ? null : (JSON.parse(before.overlay) as Overlay),
          event,
        );
        const erases = amended.erases === true || before?.erases === true;
        made.set(seq, { seq, overlay: overlayText(amended, event), erases });
      }
    }
    const last = page.at(-1);
    if (last === undefined || page.length < limits.listMax) return made;
    after = last.seq;
  }
}
