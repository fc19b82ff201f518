import { describeConformance } from "@chat21/testkit";
import { startCluster } from "./start-cluster.ts";

describeConformance("the cluster", startCluster);
