// Creates a replica set of one member, and the user of our processes. Run by mongosh. Idempotent.
const { MONGO_ROOT_PASSWORD: rootPassword, MONGO_PASSWORD: pwd } = process.env;
const options = "?directConnection=true&authSource=admin";
const connection = new Mongo(`mongodb://root:${encodeURIComponent(rootPassword)}@mongodb:27017/${options}`);
const admin = connection.getDB("admin");

const config = { _id: "rs0", members: [{ _id: 0, host: "mongodb:27017" }] };
try {
  admin.runCommand({ replSetInitiate: config });
} catch (error) {
  if (error.codeName !== "AlreadyInitialized") throw error;
}
for (let tries = 0; !admin.runCommand({ hello: 1 }).isWritablePrimary; tries++) {
  if (tries > 60) throw new Error("no primary after 60 s");
  sleep(1_000);
}

const chat21 = connection.getDB("chat21");
const user = { pwd, roles: [{ role: "readWrite", db: "chat21" }] };
if (chat21.getUser("chat21") === null) chat21.createUser({ user: "chat21", ...user });
else chat21.updateUser("chat21", user);
