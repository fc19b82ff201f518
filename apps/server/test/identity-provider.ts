import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { onTestFinished } from "vitest";

/** An identity provider on a port of this machine, until the test ends. */
export interface LocalProvider {
  readonly issuer: string;
  /** A token for `auth0|5f7c`, of one hour, signed with RS256. */
  sign(audience: string): Promise<string>;
}

/** Starts one with a key of its own. */
export async function startIdentityProvider(): Promise<LocalProvider> {
  const keys = await generateKeyPair("RS256", { extractable: true });
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: "k1", alg: "RS256", use: "sig" };
  const server = createServer((request, response) => {
    const isConfiguration = request.url === "/.well-known/openid-configuration";
    response.end(JSON.stringify(isConfiguration ? { issuer, jwks_uri: `${issuer}/jwks` } : { keys: [jwk] }));
  });
  onTestFinished(() => void server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    issuer,
    sign: (audience) =>
      new SignJWT({ iss: issuer, aud: audience, sub: "auth0|5f7c" })
        .setProtectedHeader({ alg: "RS256", kid: "k1" })
        .setIssuedAt()
        .setExpirationTime("1h")
        .sign(keys.privateKey),
  };
}
