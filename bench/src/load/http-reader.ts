import { Agent, type IncomingMessage, request } from "node:http";
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";

/** Forms of answers: compressed, as a browser or `fetch` asks for them, or the plain JSON of the server. */
export const answerForms = ["compressed", "plain"] as const;

/** One of {@link answerForms}. */
export type AnswerForm = (typeof answerForms)[number];

/** One answer. */
export interface HttpAnswer {
  /** From the request's first byte to the answer's last. */
  readonly ms: number;
  /** Size of the body, as it came. */
  readonly bytes: number;
  /** The body's JSON. */
  json(): unknown;
}

const acceptEncoding = { compressed: "gzip, deflate, br", plain: "identity" } as const;
const decompress = {
  br: brotliDecompressSync,
  gzip: gunzipSync,
  deflate: inflateSync,
} as const;

/** Reads REST with one token over connections that stay open. */
export class HttpReader {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #apiUrl: string;
  readonly #headers: Readonly<Record<string, string>>;

  /** `apiUrl`: with `/api`. */
  constructor(apiUrl: string, token: string, form: AnswerForm) {
    this.#apiUrl = apiUrl;
    this.#headers = { authorization: token, "accept-encoding": acceptEncoding[form] };
  }

  get(path: string): Promise<HttpAnswer> {
    return this.#ask("GET", path, undefined);
  }

  post(path: string, body: object): Promise<HttpAnswer> {
    return this.#ask("POST", path, JSON.stringify(body));
  }

  close(): void {
    this.#agent.destroy();
  }

  #ask(method: "GET" | "POST", path: string, body: string | undefined): Promise<HttpAnswer> {
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const headers = { ...this.#headers, ...type, "content-length": Buffer.byteLength(body ?? "") };
    const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
    const beganMs = performance.now();
    request(`${this.#apiUrl}${path}`, { method, headers, agent: this.#agent }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("error", reject);
      response.on("end", () => {
        const ms = performance.now() - beganMs;
        const whole = Buffer.concat(pieces);
        const text = () => textOf(response, whole);
        if ((response.statusCode ?? 0) < 300)
          resolve({ ms, bytes: whole.length, json: () => JSON.parse(text()) });
        else reject(new Error(`${method} ${path} was answered with ${response.statusCode}: ${text()}`));
      });
    })
      .on("error", reject)
      .end(body);
    return promise;
  }
}

function textOf({ headers }: IncomingMessage, body: Buffer): string {
  const encoding = headers["content-encoding"];
  const isKnown = (name: string): name is keyof typeof decompress => Object.hasOwn(decompress, name);
  return (encoding !== undefined && isKnown(encoding) ? decompress[encoding](body) : body).toString("utf8");
}
