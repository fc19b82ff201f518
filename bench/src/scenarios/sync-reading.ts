import { type AnswerForm, answerForms, HttpReader } from "../load/http-reader.ts";
import { type ReadChanges, readChanges, readToEnd } from "../load/read-changes.ts";
import {
  changedConversations,
  type ReadConversation,
  type ReadingShape,
  readers,
} from "../load/reading-history.ts";
import type { ApiServer, ReadingSource } from "../targets/reading-source.ts";
import { app } from "../targets/target.ts";
import { type ReadingFigure, type ReadingHead, type ReadingSample, toFigure } from "./reading-figure.ts";

const warmupRequests = 50;
/** For one round of the scenario. */
const requestsPerRound = 15;
const writesAtOnce = 16;
/** Messages of one in five changing conversations; the others get one message. */
const severalMessages = 3;

/** The first sync of all, as a new device makes it, and then syncs of the same user while nothing changes. */
export async function readSame(
  source: ReadingSource,
  { synced }: ReadingShape,
  rounds: number,
): Promise<ReadingFigure[]> {
  const server = await source.start();
  const reader = readerOf(server, "compressed");
  const head = { api: "v1", form: "compressed", conversations: synced } as const;
  try {
    const everything = await readChanges(reader, undefined);
    const missing = synced - everything.newest.size;
    const first = toFigure({ ...head, part: "sync-first", when: "first call" }, [{ ...everything, missing }]);
    const cursor = await readToEnd(reader, everything.cursor);
    const samples: ReadingSample[] = [];
    for (let i = -warmupRequests; i < rounds * requestsPerRound; i++) {
      const nothing = await readChanges(reader, cursor);
      // A conversation that comes although nothing has changed counts as an error, as a missing one does.
      if (i >= 0) samples.push({ ...nothing, missing: nothing.newest.size });
    }
    return [first, toFigure({ ...head, part: "sync-same", when: "warm" }, samples)];
  } finally {
    reader.close();
    await server.close();
  }
}

/**
 * Syncs after messages in some of the conversations, sent while nobody looked; every round changes others. The same changes
 * are read compressed first, as a client would, and then plain.
 */
export async function readChanged(
  source: ReadingSource,
  shape: ReadingShape,
  rounds: number,
): Promise<ReadingFigure[]> {
  const server = await source.start();
  const forms = { compressed: readerOf(server, "compressed"), plain: readerOf(server, "plain") };
  const writer = new HttpReader(server.apiUrl, server.token("bench-admin", "admin"), "plain");
  const samples: Record<AnswerForm, ReadingSample[]> = { compressed: [], plain: [] };
  try {
    let cursor = await readToEnd(forms.plain, undefined);
    // The first round makes the code warm.
    for (let round = -1; round < rounds; round++) {
      const written = await writeTo(writer, changedConversations(shape, round + 1));
      for (const form of answerForms) {
        const changes = await readChanges(forms[form], cursor);
        if (round >= 0) samples[form].push({ ...changes, missing: countMissing(written, changes) });
      }
      cursor = await readToEnd(forms.plain, cursor);
    }
  } finally {
    for (const reader of [...Object.values(forms), writer]) reader.close();
    await server.close();
  }
  const head = { part: "sync-changed", api: "v1", when: "warm", changed: shape.changed } as const;
  return answerForms.map((form) => {
    const own: ReadingHead = { ...head, form, conversations: shape.synced };
    return toFigure(own, samples[form]);
  });
}

function readerOf(server: ApiServer, form: AnswerForm): HttpReader {
  return new HttpReader(server.apiUrl, server.token(readers.syncing), form);
}

/** Sends to all of them, as a backend does for its users. Answers the number of the last message in each. */
async function writeTo(
  writer: HttpReader,
  conversations: readonly ReadConversation[],
): Promise<Map<string, number>> {
  const written = new Map<string, number>();
  const left = conversations.entries();
  const work = async () => {
    for (const [index, { conversWith, sender, recipient }] of left) {
      for (let i = 0; i < (index % 5 === 0 ? severalMessages : 1); i++) {
        const body = { text: `message ${index} of the bench, ${i + 1} of several`, type: "text" };
        const path = `/v1/${app}/conversations/${recipient}/messages?sender=${sender}`;
        const { seq } = (await writer.post(path, body)).json() as { readonly seq: number };
        written.set(conversWith, seq);
      }
    }
  };
  await Promise.all(Array.from({ length: writesAtOnce }, work));
  return written;
}

function countMissing(written: ReadonlyMap<string, number>, { newest }: ReadChanges): number {
  return [...written].filter(([conversWith, seq]) => newest.get(conversWith) !== seq).length;
}
