import { DatabaseSync } from "node:sqlite";
import { expect, it, vi } from "vitest";
import { useTemporaryFolder } from "./temporary-folder.ts";

const folder = useTemporaryFolder();

it("removes revocations a week after their tokens ran out, and none earlier: a clock may have been ahead", async () => {
  const store = await folder.open();
  const revocation = { app: "app", user: "ann", tokenId: "t", issuedBefore: null };
  const now = Date.now();
  const week = 7 * 24 * 60 * 60 * 1_000;
  await store.revocations.add({ ...revocation, expiresAt: now - week - 1 });
  await store.revocations.add({ ...revocation, tokenId: "of a day ago", expiresAt: now - week / 7 });
  await store.revocations.add({ ...revocation, tokenId: "u", expiresAt: now + 60_000 });

  const inFarFuture = await store.revocations.list(now + 120_000);

  expect(inFarFuture).toEqual([]);
  const database = new DatabaseSync(await folder.path(), { readOnly: true });
  const kept = () =>
    database
      .prepare("SELECT token_id FROM revocation")
      .all()
      .map((row) => row["token_id"]);
  await vi.waitFor(() => expect(kept().toSorted()).toEqual(["of a day ago", "u"]), { timeout: 20_000 });
  database.close();
  expect(await store.revocations.list(now)).toHaveLength(1);
});
