// The arrows of the house, downwards only:
// apps -> original, runtime, adapters -> auth, events, people -> engine -> protocol; original -> runtime;
// client-sdk -> protocol; web -> client-sdk.
const tests = "(^|/)test/|[.]test[.]tsx?$";
const config = "[.]config[.]ts$|^tsup[.]base[.]ts$";
const own = "^(packages|apps|bench)/";

/** One room may reach itself and the rooms named, of all our own code. Tests may reach the testkit too. */
const room = (name, from, ...reachable) => ({
  name,
  severity: "error",
  from: { path: `^${from}/`, pathNot: [tests, config] },
  to: { path: own, pathNot: [from, ...reachable].map((path) => `^${path}/`) },
});

const adapters = "packages/(broker|store)-[^/]+";

module.exports = {
  forbidden: [
    room("protocol-reaches-nothing", "packages/protocol"),
    room("engine-reaches-protocol", "packages/engine", "packages/protocol"),
    room("auth-reaches-engine-and-protocol", "packages/auth", "packages/(engine|protocol)"),
    room("events-reach-engine-and-protocol", "packages/events", "packages/(engine|protocol)"),
    room("people-reach-engine-and-protocol", "packages/people", "packages/(engine|protocol)"),
    room(
      "runtime-reaches-events-people-engine-and-protocol",
      "packages/runtime",
      "packages/(engine|events|people|protocol)",
    ),
    room(
      "original-reaches-runtime-and-what-is-below",
      "packages/original",
      "packages/(engine|events|people|protocol|runtime)",
    ),
    {
      name: "only-apps-reach-original",
      comment: "It goes in two years: nothing but wiring may have to change then.",
      severity: "error",
      from: { path: "^(packages|bench)/", pathNot: "^packages/original/" },
      to: { path: "^packages/original/" },
    },
    {
      name: "original-keeps-technology-in-its-database-folder",
      severity: "error",
      from: { path: "^packages/original/src/", pathNot: [tests, "^packages/original/src/database/"] },
      to: { path: "^packages/(runtime|original/src/database)/|node_modules/" },
    },
    {
      name: "original-does-no-io-outside-its-database-folder",
      severity: "error",
      from: { path: "^packages/original/src/", pathNot: [tests, "^packages/original/src/database/"] },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "brokers-reach-engine-and-protocol",
      severity: "error",
      from: { path: "^packages/(broker-[^/]+)/", pathNot: [tests, config] },
      to: { path: own, pathNot: ["^packages/(engine|protocol)/", "^packages/$1/"] },
    },
    {
      name: "stores-reach-the-owners-of-their-ports",
      severity: "error",
      from: { path: "^packages/(store-[^/]+)/", pathNot: [tests, config] },
      to: { path: own, pathNot: ["^packages/(auth|engine|events|people|protocol)/", "^packages/$1/"] },
    },
    {
      name: "stores-take-ports-alone-of-auth-events-and-people",
      severity: "error",
      from: { path: "^packages/store-[^/]+/", pathNot: [tests, config] },
      to: { path: "^packages/(auth|events|people)/", dependencyTypesNot: ["type-only"] },
    },
    room("client-sdk-reaches-protocol", "packages/client-sdk", "packages/protocol"),
    {
      name: "client-faces-reach-client-sdk",
      severity: "error",
      from: { path: "^packages/(react|widget)/", pathNot: [tests, config] },
      to: { path: own, pathNot: ["^packages/(client-sdk|protocol)/", "^packages/$1/"] },
    },
    room(
      "testkit-reaches-the-owners-of-ports-and-protocol",
      "packages/testkit",
      "packages/(auth|engine|events|people|protocol)",
    ),
    room("web-reaches-client-sdk", "apps/web", "packages/(client-sdk|protocol|react|widget)"),
    {
      name: "only-server-reaches-apps",
      comment: "Also in tests: what needs two apps at once is a test of apps/server.",
      severity: "error",
      from: { path: "^(apps|packages)/([^/]+)/", pathNot: ["^apps/server/", "^packages/client-sdk/test/"] },
      to: { path: "^apps/", pathNot: "^apps/$2/" },
    },
    {
      name: "sdk-tests-reach-the-api",
      comment: "A client is tested against the engine and the routes that it is made for, and no other app.",
      severity: "error",
      from: { path: "^packages/client-sdk/test/" },
      to: { path: "^apps/", pathNot: "^apps/http-api/" },
    },
    {
      name: "nobody-reaches-bench",
      severity: "error",
      from: { pathNot: "^bench/" },
      to: { path: "^bench/" },
    },
    {
      name: "testkit-is-for-tests",
      severity: "error",
      from: { pathNot: [tests, "^packages/testkit/", "^bench/"] },
      to: { path: "^packages/testkit/" },
    },
    {
      name: "protocol-imports-zod-only",
      severity: "error",
      from: { path: "^packages/protocol/src/", pathNot: tests },
      to: { pathNot: ["node_modules/zod/", own] },
    },
    {
      name: "engine-has-no-driver",
      severity: "error",
      from: { path: "^packages/engine/src/", pathNot: tests },
      to: { path: "node_modules/" },
    },
    {
      name: "engine-does-no-io",
      severity: "error",
      from: { path: "^packages/engine/src/", pathNot: tests },
      to: {
        dependencyTypes: ["core"],
        path: "^(node:)?(sqlite|fs|net|tls|dns|dgram|https?|http2|child_process|cluster|worker_threads|process|os)(/|$)",
      },
    },
    {
      name: "client-sdk-runs-in-browsers",
      severity: "error",
      from: { path: "^packages/client-sdk/src/", pathNot: [tests, "/node[.]ts$", "/node/"] },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "drivers-stay-in-their-adapters",
      severity: "error",
      // These two files are the adapter of `OriginalSource`: nobody but the command that imports needs it.
      from: {
        path: "^(packages|apps)/",
        pathNot: [
          tests,
          adapters,
          "^packages/testkit/",
          "^packages/original/src/database/(spool|original-database)[.]ts$",
        ],
      },
      to: { path: "node_modules/(aedes|amqplib|mongoose)/|^(node:)?sqlite$" },
    },
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    { name: "everything-resolves", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "no-undeclared-package",
      severity: "error",
      from: { path: "/src/", pathNot: tests },
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown"] },
    },
    {
      name: "no-development-package-at-run-time",
      severity: "error",
      from: { path: "^(packages|apps)/[^/]+/src/", pathNot: [tests, "^packages/testkit/", "^apps/web/"] },
      to: {
        dependencyTypes: ["npm-dev"],
        dependencyTypesNot: ["type-only"],
        pathNot: "node_modules/@types/",
      },
    },
  ],
  options: {
    combinedDependencies: false,
    doNotFollow: { path: "node_modules" },
    // Only our own output: a package under node_modules may well live in a folder named dist.
    exclude: { path: "^(bench|apps/[^/]+|packages/[^/]+)/(dist|coverage|test-results)/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.base.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["@chat21/source", "import", "node", "types", "default"],
      extensions: [".ts", ".tsx", ".js", ".mjs", ".cjs", ".json", ".d.ts"],
    },
  },
};
