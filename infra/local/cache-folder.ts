import { homedir } from "node:os";
import { join } from "node:path";

/** Where what was installed without the system's packages is kept for the next time. */
export const cacheFolder = () => join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "chat21");
