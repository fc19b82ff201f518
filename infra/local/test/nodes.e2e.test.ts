import { describeConformance } from "@chat21/testkit";
import { startNodes } from "./start-nodes.ts";

describeConformance("a network of nodes", startNodes);
describeConformance("a network of nodes", startNodes, 5);
