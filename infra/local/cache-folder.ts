import { homedir } from "node:os";
import { join } from "node:path";

/** Folder for installed programs that do not come from the system's packages. They are kept for the next start. */
export const cacheFolder = () => join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "chat21");
