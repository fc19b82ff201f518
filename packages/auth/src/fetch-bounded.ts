/** The part of `fetch` that is needed. */
export type FetchPart = (
  url: string,
  options: {
    readonly headers: Record<string, string>;
    readonly signal: AbortSignal;
    readonly redirect: "error";
  },
) => Promise<{ readonly status: number; readonly body: AsyncIterable<Uint8Array> | null }>;

/** Bounds of {@link fetchBounded}. */
export interface FetchBounds {
  /** Longest time from the request to the last byte, milliseconds. */
  readonly timeoutMs: number;
  /** Largest body. */
  readonly maxBytes: number;
}

/**
 * Reads the text at an address, whole. Throws a plain `Error` for another status than 200, a redirection, a body that is
 * too large, and no answer in time.
 */
export async function fetchBounded(
  fetchIt: FetchPart,
  url: string,
  { timeoutMs, maxBytes }: FetchBounds,
): Promise<string> {
  const end = new AbortController();
  try {
    const response = await fetchIt(url, {
      headers: { accept: "application/json" },
      redirect: "error",
      signal: AbortSignal.any([end.signal, AbortSignal.timeout(timeoutMs)]),
    });
    if (response.status !== 200) throw new Error(`it answers ${response.status}`);
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw new Error(`its answer is longer than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString();
  } finally {
    // What was not read is not wanted.
    end.abort();
  }
}
