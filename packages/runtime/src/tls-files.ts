import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { codeOf, OperatorError } from "./failure.ts";

/** Where a certificate chain and its key are: paths of PEM files, or PEM text. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/** PEM text of a certificate chain and its key, tried together. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
}

/** Reads the certificate and the key and tries them, so that a mistake is found before anything listens. */
export function readTlsMaterial(tls: TlsFiles): TlsMaterial {
  const material = { cert: readPem("CHAT21_TLS_CERT", tls.cert), key: readPem("CHAT21_TLS_KEY", tls.key) };
  try {
    createSecureContext(material);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new OperatorError(
      `CHAT21_TLS_CERT and CHAT21_TLS_KEY: expected a certificate chain and its private key in PEM (${why})`,
      { cause },
    );
  }
  return material;
}

/** Existing deployments may hold the PEM text itself in the variable. */
function readPem(name: string, value: string): string {
  if (value.includes("-----BEGIN")) return value.replaceAll("\\n", "\n");
  try {
    return readFileSync(value, "utf8");
  } catch (cause) {
    throw new OperatorError(
      `${name}: ${value} cannot be read (${codeOf(cause)}); check the path and its rights`,
      {
        cause,
      },
    );
  }
}

/** Both or none. Throws `OperatorError` when one is missing. */
export function chooseTls(cert: string | undefined, key: string | undefined): TlsFiles | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined) throw new OperatorError("CHAT21_TLS_CERT: missing, although CHAT21_TLS_KEY is set");
  if (key === undefined) throw new OperatorError("CHAT21_TLS_KEY: missing, although CHAT21_TLS_CERT is set");
  return { cert, key };
}
