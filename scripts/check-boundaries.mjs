// Runs dependency-cruiser, and fails as well when it looked at too little: with a compiler it does not know
// or a lost export condition it sees no modules, finds nothing wrong and exits 0.
import { existsSync, readdirSync } from "node:fs";
import { cruise } from "dependency-cruiser";
import extractDepcruiseOptions from "dependency-cruiser/config-utl/extract-depcruise-options";
import extractTSConfig from "dependency-cruiser/config-utl/extract-ts-config";

const options = await extractDepcruiseOptions("./.dependency-cruiser.cjs");
const roots = ["packages", "apps"]
  .flatMap((folder) => readdirSync(folder).map((name) => `${folder}/${name}`))
  .concat("bench")
  .filter((folder) => existsSync(`${folder}/package.json`));

const { output } = await cruise(roots, { ...options, outputType: "json" }, undefined, {
  tsConfig: extractTSConfig(options.tsConfig.fileName),
});
const { modules, summary } = JSON.parse(output);

const problems = summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`);
for (const root of roots) {
  if (!modules.some(({ source }) => source.startsWith(`${root}/src/`))) {
    problems.push(`saw-no-modules: nothing under ${root}/src was looked at`);
  }
}
const rootOf = (file) => roots.find((root) => file.startsWith(`${root}/`));
const imports = modules.flatMap(({ source, dependencies }) =>
  dependencies.map(({ resolved }) => ({ from: rootOf(source), to: rootOf(resolved) })),
);
if (!imports.some(({ from, to }) => from && to && from !== to)) {
  problems.push("saw-no-arrows: no import of one package by another was resolved to its source");
}

for (const problem of problems) console.error(problem);
console.log(`${modules.length} modules, ${imports.length} imports, ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
