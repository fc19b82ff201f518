import { get } from "node:http";

const pollMs = 2;
const patienceMs = 60_000;

/** Resolves when `GET url` is answered with 200. Rejects after a minute, or as soon as `isAlive` says no. */
export async function waitUntilReady(url: string, isAlive: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + patienceMs;
  while (!(await isOk(url))) {
    if (!isAlive()) throw new Error("the server ended before it was ready");
    if (performance.now() > deadlineMs) throw new Error(`${url} was not answered with 200 within a minute`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

function isOk(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    get(url, { agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).on("error", () => resolve(false));
  });
}
