import { limits } from "@chat21/protocol";
import { type AnswerForm, answerForms, type HttpAnswer, HttpReader } from "../load/http-reader.ts";
import { type ReadingShape, readers } from "../load/reading-history.ts";
import { watchPeak } from "../measure/process-memory.ts";
import type { ApiServer, ReadingSource } from "../targets/reading-source.ts";
import { app } from "../targets/target.ts";
import { type ReadingFigure, type ReadingSample, toFigure } from "./reading-figure.ts";

/** Both ways to ask for a list. */
const apis = ["old", "v1"] as const;
type Api = (typeof apis)[number];

const warmupRequests = 50;
/** For one round of the scenario. */
const requestsPerRound = 10;
/** Rounds of the scenario for one start of a server. */
const roundsPerStart = 4;
/** Longest list that may be asked for, of a user with few short texts: it makes the code warm. */
const warmupQuery = `?limit=${limits.listMax}`;

/** The first page of a long list: the very first call of a process, and warm. */
export async function readFirstPage(
  source: ReadingSource,
  { listed }: ReadingShape,
  rounds: number,
): Promise<ReadingFigure[]> {
  const expected = Math.min(listed, limits.listDefault);
  const head = { part: "list-first-page", conversations: listed } as const;
  const figures: ReadingFigure[] = [];
  for (const api of apis) {
    const first: ReadingSample[] = [];
    for (let i = 0; i < startsOf(rounds); i++) {
      first.push(
        await onServer(source, async (server) => {
          const read = listReader(server, readers.listing, "compressed");
          return sampleOf(await read(api).finally(read.close), api, expected);
        }),
      );
    }
    figures.push(toFigure({ ...head, api, form: "compressed", when: "first call" }, first));
    figures.push(
      ...(await onServer(source, async (server) => {
        const warm: ReadingFigure[] = [];
        for (const form of answerForms) {
          const read = listReader(server, readers.listing, form);
          const samples: ReadingSample[] = [];
          for (let i = -warmupRequests; i < rounds * requestsPerRound; i++) {
            const answer = await read(api);
            if (i >= 0) samples.push(sampleOf(answer, api, expected));
          }
          read.close();
          warm.push(toFigure({ ...head, api, form, when: "warm" }, samples));
        }
        return warm;
      })),
    );
  }
  return figures;
}

/**
 * The longest lists that may be asked for, of conversations whose last messages are long, by several users at the same
 * time: one user's requests would wait for each other. The server's peak of memory meanwhile is compared with its
 * memory before, after lists of short texts.
 */
export async function readLongLists(
  source: ReadingSource,
  { long }: ReadingShape,
  rounds: number,
): Promise<ReadingFigure[]> {
  const expected = Math.min(long, limits.listMax);
  const figures: ReadingFigure[] = [];
  for (const api of apis) {
    const samples: ReadingSample[] = [];
    const peaks: { readonly growthMiB: number; readonly by: "kernel" | "samples" }[] = [];
    for (let i = 0; i < startsOf(rounds); i++) {
      await onServer(source, async (server) => {
        const warmup = listReader(server, readers.listing, "compressed");
        await warmup(api, warmupQuery).finally(warmup.close);
        const lists = readers.ofLongTexts.map((user) => listReader(server, user, "compressed"));
        const peak = watchPeak(server.pid);
        const answers = await Promise.all(lists.map((read) => read(api, `?limit=${limits.listMax}`)));
        peaks.push({ growthMiB: (peak.end() - peak.beginBytes) / 2 ** 20, by: peak.by });
        samples.push(...answers.map((answer) => sampleOf(answer, api, expected)));
        for (const read of lists) read.close();
      });
    }
    const worst = Math.max(...peaks.map(({ growthMiB }) => growthMiB));
    const memory = {
      peakGrowthMiB: Number(worst.toFixed(1)),
      peakBy: peaks.every(({ by }) => by === "kernel") ? "kernel" : "samples",
    } as const;
    const head = { part: "list-heavy", api, form: "compressed", when: "warm" } as const;
    const readersAtOnce = readers.ofLongTexts.length;
    figures.push(toFigure({ ...head, conversations: long, readers: readersAtOnce, ...memory }, samples));
  }
  return figures;
}

function startsOf(rounds: number): number {
  return Math.ceil(rounds / roundsPerStart);
}

async function onServer<T>(source: ReadingSource, run: (server: ApiServer) => Promise<T>): Promise<T> {
  const server = await source.start();
  try {
    return await run(server);
  } finally {
    await server.close();
  }
}

/** A way to ask for a user's list, over connections of its own. */
function listReader(server: ApiServer, user: string, form: AnswerForm) {
  const reader = new HttpReader(server.apiUrl, server.token(user), form);
  const paths = { old: `/${app}/${user}/conversations`, v1: `/v1/${app}/conversations` } as const;
  const read = (api: Api, query = ""): Promise<HttpAnswer> => reader.get(`${paths[api]}${query}`);
  return Object.assign(read, { close: () => reader.close() });
}

function sampleOf(answer: HttpAnswer, api: Api, expected: number): ReadingSample {
  const body = answer.json() as { readonly result?: unknown[]; readonly conversations?: unknown[] };
  const items = api === "old" ? body.result : body.conversations;
  const { ms, bytes } = answer;
  return { ms, bytes, pages: 1, missing: expected - (items?.length ?? 0) };
}
