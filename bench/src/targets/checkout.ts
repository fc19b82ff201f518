import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of this repository. */
export const ownCheckout = fileURLToPath(new URL("../../../", import.meta.url));

/** The built script of an app of a checkout. */
export function builtScript(checkout: string, name: "http-api" | "observer" | "server"): string {
  return join(checkout, "apps", name, "dist", "cli.js");
}
