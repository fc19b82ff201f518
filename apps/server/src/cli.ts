#!/usr/bin/env node
// A Node that is too old for the rest may load only this check.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 13)) {
  process.stderr.write(
    `chat21: this needs Node.js 22.13 or newer, and here runs ${process.versions.node}; install a newer one from https://nodejs.org\n`,
  );
  process.exitCode = 1;
} else {
  // The database module of Node 22 announces itself as experimental on every start; nobody can act on it.
  process.removeAllListeners("warning");
  process.on("warning", (warning) => {
    if (warning.name !== "ExperimentalWarning") process.stderr.write(`${warning.stack ?? warning.message}\n`);
  });
  const { runCli } = await import("./run-cli.ts");
  await runCli(process.argv);
}

export {};
