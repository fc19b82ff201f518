/** Fewest bytes of an HS256 secret that cannot be guessed (RFC 7518, 3.2). */
export const strongSecretBytes = 32;

/** Secrets that everybody knows. */
const publicSecrets = new Set([
  "tokenKey",
  "tokenkey",
  "secret",
  "changeme",
  "change-me",
  "password",
  "chat21",
]);

/** The reason why a secret should be changed; `undefined` for a strong secret. */
export function secretWeakness(secret: string): string | undefined {
  if (publicSecrets.has(secret))
    return "it is a default that everybody knows: anybody can sign in as anybody";
  const length = Buffer.byteLength(secret);
  if (length < strongSecretBytes)
    return `it has ${length} bytes, and ${strongSecretBytes} random ones are needed`;
  return new Set(secret).size < 8 ? "it has hardly any different characters" : undefined;
}
