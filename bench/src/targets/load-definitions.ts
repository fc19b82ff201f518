import { definitions } from "@chat21/broker-amqp";
import { app } from "./target.ts";

/** Puts the cluster's objects on a broker, as an operator would before the first client comes. */
export async function loadDefinitions(managementUri: string): Promise<void> {
  const response = await fetch(`${managementUri}/api/definitions`, {
    method: "POST",
    headers: {
      authorization: `Basic ${Buffer.from("guest:guest").toString("base64")}`,
      "content-type": "application/json",
    },
    body: JSON.stringify(definitions({ apps: [app] })),
  });
  if (!response.ok) {
    throw new Error(`the broker answered our definitions with ${response.status}: ${await response.text()}`);
  }
}
