import type { InstanceRecord } from "@chat21/people";
import { isId, toWireId } from "@chat21/protocol";
import type { Refused } from "../refusals.ts";
import type { OriginalDocument } from "./copy.ts";

const dataKeys = ["device_model", "language", "platform", "platform_version"] as const;

/** Longest token of a push service that is taken over; push services have no limit of their own. */
const maxInstanceIdLength = 4_096;

/** Reads a document of `instances`: a device's push registration. */
export function readOriginalInstance(document: OriginalDocument, now: number): InstanceRecord | Refused {
  const { app_id: app, user_id, instance_id: instanceId } = document;
  if (typeof app !== "string" || app === "") return { refused: "app_missing" };
  if (!isId(app)) return { refused: "invalid_id", detail: "app_id" };
  const user = typeof user_id === "string" ? toWireId(user_id) : null;
  if (user === null) return { refused: "invalid_id", detail: "user_id" };
  const isRight =
    typeof instanceId === "string" && instanceId !== "" && instanceId.length <= maxInstanceIdLength;
  if (!isRight) return { refused: "invalid_id", detail: "instance_id" };
  const data = dataKeys.filter((key) => typeof document[key] === "string");
  return {
    app,
    user,
    instanceId,
    data: JSON.stringify(Object.fromEntries(data.map((key) => [key, document[key]]))),
    updatedAt: now,
  };
}
