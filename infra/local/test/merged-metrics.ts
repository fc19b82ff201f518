import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Metrics of several processes under one address, one after the other. */
export interface MergedMetrics {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves what the given addresses serve now; one that does not answer is left out. */
export async function mergeMetrics(urls: readonly string[]): Promise<MergedMetrics> {
  const server = createServer(async (_request, response) => {
    const texts = await Promise.all(
      urls.map((url) =>
        fetch(url).then(
          (answer) => answer.text(),
          () => "",
        ),
      ),
    );
    response.end(texts.join("\n"));
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
