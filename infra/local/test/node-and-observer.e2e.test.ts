import { describeConformance } from "@chat21/testkit";
import { startNodeAndObserver } from "./start-node-and-observer.ts";

describeConformance("a node beside an observer", startNodeAndObserver);
