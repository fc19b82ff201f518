import { writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

/**
 * Doors for CommonJS, beside the built files. There is one implementation, the ESM one: two would be two `ChatError`
 * classes in one program. Node has loaded ESM by `require` since 22.12; the declarations say so to a compiler that does
 * not know it.
 */
async function writeCommonJs(name: string): Promise<void> {
  const module = `./${name}.js`;
  const values: object = await import(pathToFileURL(`dist/${name}.js`).href);
  const attributes = '{ "resolution-mode": "import" }';
  const from = `import("${module}", { with: ${attributes} })`;
  const lines = Object.entries(values).flatMap(([key, value]) => [
    `export declare const ${key}: typeof ${from}.${key};`,
    ...(/^class\b/.test(String(value)) ? [`export type ${key} = ${from}.${key};`] : []),
  ]);
  const types = `export type * from "${module}" with ${attributes};`;
  await writeFile(`dist/${name}.d.cts`, `${[types, ...lines].join("\n")}\n`);
  await writeFile(`dist/${name}.cjs`, `module.exports = require("${module}");\n`);
}

await Promise.all(["index", "node", "event-stream"].map(writeCommonJs));
