import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  type JsonWebKey,
  type KeyObject,
} from "node:crypto";

/** The keys of one issuer. */
export interface KeySet {
  readonly signing: PinnedKey;
  /** Finds the key for a token's header. `undefined`: the key or the algorithm is not known. */
  find(header: { readonly alg?: unknown; readonly kid?: unknown }): PinnedKey | undefined;
  readonly jwks: JsonWebKeySet;
}

/**
 * Reads the keys. Throws a plain `Error` that names the key that cannot be used; the message never shows the key
 * itself.
 */
export function createKeySet({ secret, es256 = [] }: KeySetOptions): KeySet {
  const shared = secret === undefined ? undefined : sharedKey(secret);
  const pairs = es256.map(readPair);
  const byKid = new Map(pairs.map((pair) => [pair.kid, pair]));
  if (byKid.size < pairs.length) throw new Error("two ES256 keys have the same kid");
  const newest = pairs[0];
  if (newest !== undefined && newest.privateKey === undefined) {
    throw new Error(`the newest ES256 key (${newest.kid}) has no private key to sign with`);
  }
  const signing = newest?.privateKey === undefined ? shared : pinned(newest.kid, newest.privateKey);
  if (signing === undefined) throw new Error("neither a secret nor an ES256 key was given");
  return {
    signing,
    find({ alg, kid }) {
      if (alg === "HS256") return shared;
      if (alg !== "ES256" || typeof kid !== "string") return undefined;
      const pair = byKid.get(kid);
      return pair === undefined ? undefined : pinned(pair.kid, pair.publicKey);
    },
    jwks: { keys: pairs.map(publicJwk) },
  };
}

/** Keys that sign and verify tokens: a secret, ES256 keys, or both. At least one must be given. */
export interface KeySetOptions {
  /** HS256 secret. Its UTF-8 bytes are the key, as with existing issuers. */
  readonly secret?: string;
  /** Newest first. The first key signs, in place of the secret. All keys verify, so that keys can be rotated. */
  readonly es256?: readonly Es256Key[];
}

/** An ES256 (P-256) key and its name. */
export interface Es256Key {
  /** Name of the key, in the header of tokens and in the key set. */
  readonly kid: string;
  /** Signs tokens. A retired key may leave it out and give only `publicKey`. */
  readonly privateKey?: KeyMaterial;
  /** @default the public half of `privateKey` */
  readonly publicKey?: KeyMaterial;
}

/** A key as PEM text or as a JSON Web Key. */
export type KeyMaterial = string | JsonWebKey;

/** The content of `/.well-known/jwks.json`. A shared secret has no public half, so its key set is empty. */
export interface JsonWebKeySet {
  readonly keys: readonly PublicJwk[];
}

/** A public key in a key set (RFC 7517). */
export interface PublicJwk {
  readonly kty: "EC";
  readonly crv: "P-256";
  readonly x: string;
  readonly y: string;
  readonly kid: string;
  readonly use: "sig";
  readonly alg: "ES256";
}

/** A key and its one algorithm. A token cannot choose another algorithm for the key. */
interface PinnedKey {
  readonly algorithm: "HS256" | "ES256";
  readonly key: KeyObject;
  readonly kid: string | undefined;
}

interface Pair {
  readonly kid: string;
  readonly privateKey: KeyObject | undefined;
  readonly publicKey: KeyObject;
}

function sharedKey(secret: string): PinnedKey {
  if (secret === "") throw new Error("the token secret is empty");
  return { algorithm: "HS256", key: createSecretKey(secret, "utf8"), kid: undefined };
}

function pinned(kid: string, key: KeyObject): PinnedKey {
  return { algorithm: "ES256", key, kid };
}

function readPair({ kid, privateKey, publicKey }: Es256Key): Pair {
  if (kid === "") throw new Error("an ES256 key has an empty kid");
  try {
    const signer = privateKey === undefined ? undefined : createPrivateKey(keyInput(privateKey));
    const material = publicKey === undefined ? signer : keyInput(publicKey);
    if (material === undefined) throw new Error("neither a private nor a public key was given");
    const verifier = createPublicKey(material);
    if (verifier.asymmetricKeyDetails?.namedCurve !== "prime256v1")
      throw new Error("expected a key on curve P-256");
    if (signer !== undefined && !createPublicKey(signer).equals(verifier)) {
      throw new Error("the public key does not belong to the private key");
    }
    return { kid, privateKey: signer, publicKey: verifier };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "it cannot be read";
    throw new Error(`ES256 key ${kid}: ${reason}`, { cause });
  }
}

// Node must be told that a key is a JSON Web Key.
function keyInput(material: KeyMaterial) {
  return typeof material === "string" ? material : { key: material, format: "jwk" as const };
}

function publicJwk({ kid, publicKey }: Pair): PublicJwk {
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  return { kty: "EC", crv: "P-256", x, y, kid, use: "sig", alg: "ES256" };
}
