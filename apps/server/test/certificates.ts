import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const fixture = (name: string) =>
  readFileSync(fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url)), "utf8");

/** A certificate and its key, in PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** The certificate that {@link certificateFiles} begins with. */
export const firstCertificate: Certificate = { cert: fixture("cert.pem"), key: fixture("key.pem") };

/** Files of a certificate for one test, which may write another one into them. */
export function certificateFiles() {
  const folder = mkdtempSync(join(tmpdir(), "chat21-tls-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const paths = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
  const write = ({ cert, key }: Certificate) => {
    writeFileSync(paths.cert, cert);
    writeFileSync(paths.key, key);
  };
  write(firstCertificate);
  return { ...paths, write };
}

/** The certificate that a new connection sees, in the form of {@link pemOf}. */
export async function shownBy(url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connectTls({ host: hostname, port: Number(port), rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const shown = socket.getPeerCertificate().raw.toString("base64");
  socket.destroy();
  return shown;
}

/** The first certificate of a PEM text, without its frame and line feeds. */
export function pemOf(text: string): string {
  return (/BEGIN CERTIFICATE-----([^-]*)/.exec(text)?.[1] ?? "").replaceAll("\n", "");
}
