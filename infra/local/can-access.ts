import { access, constants } from "node:fs/promises";

/** Says whether the path exists and `mode` is allowed on it. By default it checks only that the path exists. */
export function canAccess(path: string, mode: number = constants.F_OK): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}
