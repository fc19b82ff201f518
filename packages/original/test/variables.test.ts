import { clusterVariables } from "@chat21/runtime";
import { expect, test } from "vitest";
import { unusedOriginalVariables } from "../src/index.ts";

test("no variable that the cluster reads is called unused", () => {
  expect(clusterVariables.filter((name) => unusedOriginalVariables.cluster.has(name))).toEqual([]);
});
