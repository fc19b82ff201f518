import { basename, relative } from "node:path";

/**
 * The command line with which the person at this terminal starts `chat21`, so that commands that we show can be typed
 * as they stand: through the workspace's script, through npx, by name, or by the file.
 */
export function commandLine(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const script = argv[1] ?? "chat21";
  if (environment["npm_package_name"] === "chat21") return "npx -y pnpm@12 chat21";
  if (/[\\/]_npx[\\/]/.test(script)) return "npx @chat21/server";
  if (basename(script).startsWith("chat21")) return "chat21";
  return `node ${relative(process.cwd(), script)}`;
}
