import { access, constants } from "node:fs/promises";

/** Whether the path is there, and may be used so. @default that it is there */
export function canAccess(path: string, mode: number = constants.F_OK): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}
