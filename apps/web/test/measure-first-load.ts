/**
 * Prints how long the page takes on a slow network and a slow device: until the sign-in form can be used, and from
 * sign-in to the list of conversations. `node apps/web/test/measure-first-load.ts [address that a running server printed]`
 */
import { chromiumLaunchOptions } from "@chat21/testkit";
import { type Browser, chromium } from "playwright-core";
import { startChatServer } from "./chat-server.ts";

/** Lighthouse's "slow 4G", and its factor for the CPU of a mid-range phone. */
const slow4g = {
  offline: false,
  latency: 150,
  downloadThroughput: 1_600_000 / 8,
  uploadThroughput: 750_000 / 8,
};
const cpuFactor = 4;
const repetitions = 5;

interface Times {
  readonly usableMs: number;
  readonly listMs: number;
}

async function measure(browser: Browser, url: string, name: string): Promise<Times> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", slow4g);
  await session.send("Emulation.setCPUThrottlingRate", { rate: cpuFactor });
  // The page's own clock tells: the driver's calls would count, too.
  const timeOf = (selector: string) =>
    page.evaluate(
      (wanted) =>
        new Promise<number>((resolve) => {
          const look = () => {
            if (document.querySelector(wanted) === null) requestAnimationFrame(look);
            else resolve(performance.now());
          };
          look();
        }),
      selector,
    );
  await page.goto(url, { waitUntil: "commit" });
  const usableMs = await timeOf("form button[type=submit]");
  await page.locator("form input").first().fill(name);
  const clickedMs = await page.evaluate(() => {
    document.querySelector<HTMLElement>("form button[type=submit]")?.click();
    return performance.now();
  });
  const listMs = (await timeOf(".sidebar h1")) - clickedMs;
  await context.close();
  return { usableMs, listMs };
}

const median = (values: readonly number[]): number =>
  Math.round([...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN);

const given = process.argv[2];
const server = given === undefined ? await startChatServer() : undefined;
const browser = await chromium.launch(chromiumLaunchOptions());
try {
  const times: Times[] = [];
  for (let run = 0; run < repetitions; run += 1)
    times.push(await measure(browser, given ?? server?.signInUrl ?? "", `Ada ${run}`));
  console.log(
    JSON.stringify({
      repetitions,
      usableMs: median(times.map(({ usableMs }) => usableMs)),
      listMs: median(times.map(({ listMs }) => listMs)),
    }),
  );
} finally {
  await browser.close();
  await server?.stop();
}
