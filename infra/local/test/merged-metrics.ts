import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A server with the metrics of several processes under one address. */
export interface MergedMetrics {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves the current metrics of all given addresses. An address that does not answer is left out. */
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
