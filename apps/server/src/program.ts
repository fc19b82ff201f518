import { defaultApp } from "@chat21/protocol";
import { environmentHelp, logLevels, type Setting } from "@chat21/runtime";
import { Command, Option } from "commander";
import manifest from "../package.json" with { type: "json" };
import { nodeSettings } from "./node/node-settings.ts";
import { type SettingName, settings } from "./settings.ts";

/** The `chat21` command line. Commands load their code when they run, so that each starts fast. */
export function createProgram(): Command {
  const program = new Command("chat21")
    .description("Chat21: a chat server in one process, and its command line.")
    .version(manifest.version, "-v, --version", "Show the version.")
    .helpOption("-h, --help", "Show this help.")
    .helpCommand("help [command]", "Show the help of a command.")
    .configureHelp({ sortSubcommands: false, showGlobalOptions: false })
    // Options behind a subcommand are its own, also those that have the same name above it: `token revoke x --json`.
    .enablePositionalOptions()
    .showHelpAfterError("Try --help to see what there is.")
    .exitOverride()
    .addHelpText("after", help.program);
  addServing(program);
  addTalking(program);
  addPeople(program);
  addGroups(program);
  addWebhooks(program);
  addKeeping(program);
  return program;
}

const help = {
  program: `
Without a command it starts the server.
Settings come from options and from the environment; docs/configuration.md lists them all.
Exit codes: 0 done, 1 could not be done, 2 the command line is wrong.`,
  start: `
Examples:
  chat21 start
  chat21 start --http-port 8080 --data-dir /var/lib/chat21
  CHAT21_HOST=0.0.0.0 CHAT21_TLS_CERT=cert.pem CHAT21_TLS_KEY=key.pem chat21 start`,
  node: `
RabbitMQ and MongoDB are given by variables only: their addresses have passwords, which others see on a command line.

Examples:
  RABBITMQ_URI=amqp://user:password@rabbit MONGODB_URI=mongodb://mongo/chat21 JWT_KEY=… chat21 node
  chat21 node --http-port 8011 --mqtt-port 1884`,
  token: `
Making one works on the data folder alone: no server has to run. Prints the token and nothing else.
A strict token is for one client id and lives at most an hour; a compat token is what existing
Chat21 deployments use (--profile compat, up to 30 days, with --admin up to ten years).

Examples:
  chat21 token alice
  chat21 token backend --admin --profile compat --ttl 365d
  curl -H "Authorization: $(chat21 token alice)" http://127.0.0.1:8010/api/tilechat/alice/conversations`,
  check: `
Works on this machine alone: no server is asked, so revocations are not known. Exit code 1 for a token that is refused.
Clients are never told the rule.

Examples:
  chat21 token check "$TOKEN"
  pbpaste | CHAT21_JWT_SECRET=… chat21 token check - --json`,
  send: `
Examples:
  chat21 send bob "Hello Bob" --as alice
  echo "from a pipe" | chat21 send group-team - --as alice`,
  key: `
Making and ending keys takes an operator's token, which the commands make from the secret where it is at hand.

Examples:
  chat21 key create shop
  chat21 key create shop --expires 90d --json
  chat21 key list
  chat21 key revoke 3f9a1c0b77de`,
  tail: `
Shows messages as they come, until it is interrupted.

Examples:
  chat21 tail --as alice
  chat21 tail --as bot --json | ./my-bot`,
  history: `
Examples:
  chat21 history bob --as alice
  chat21 history group-team --as alice --limit 100 --json`,
  backup: `
Works on the data folder, also while the server runs: messages that come meanwhile are in it or not,
each as a whole. The file is a complete database; the secret is not in it (keep ${"`jwt-secret`"} as well).`,
  restore: `
Works on the data folder; the server must not run. The restored store gets a new epoch, so that clients
notice and load afresh.`,
  import: `
Give the address with the database's name: mongodb://host/chat21. Stop the original first; see docs/original.md.
Nothing is delivered and no webhook is called. What is imported already is skipped: after a crash, run it again.

Examples:
  chat21 import mongodb://localhost/chat21 --dry-run
  chat21 import mongodb://localhost/chat21 --rejects rejects.ndjson
  chat21 import mongodb://db1,db2/chat21?replicaSet=rs0 --into mongodb://db1,db2/chat21?replicaSet=rs0`,
  erase: `
Erases what a person wrote (numbers stay, so that nobody's history has a hole), the profile, push
registrations and presence, replaces the name by the id in what others and the system wrote, removes recorded
webhooks that name the person, takes the person out of every group, and ends all tokens given until now.`,
  doctor: `
Looks at this Node, the data folder and its rights, the database, the secret, the ports and the disk, and compares every
message that was changed later (erased, for example) with the log. --rebuild writes these messages anew from the log first;
no server may run on the folder meanwhile. Exit code 1 when anything must be put right.`,
} as const;

type Run = (...args: never[]) => Promise<void>;

/** Loads a command's module when the command runs. */
function lazily<Module>(load: () => Promise<Module>, pick: (module: Module) => Run) {
  return async (...args: unknown[]): Promise<void> => {
    const run = pick(await load()) as (...all: unknown[]) => Promise<void>;
    // Commander adds the options and the command itself after the arguments.
    await run(...args.slice(0, -1));
  };
}

function collect(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}

function settingOption(name: SettingName, placeholder: string): Option {
  return optionOf(settings[name] as (typeof settings)["host"], placeholder);
}

function optionOf(
  { flag, meaning, defaultText, names }: Pick<Setting<unknown>, "defaultText" | "flag" | "meaning" | "names">,
  placeholder: string,
): Option {
  return new Option(`--${flag} <${placeholder}>`, `${meaning} (default ${defaultText}; ${names[0]})`);
}

function withServer(command: Command): Command {
  return command
    .addOption(settingOption("dataDir", "folder"))
    .addOption(settingOption("serverUrl", "url"))
    .addOption(settingOption("cliToken", "token"))
    .option("--app <id>", "App id.", defaultApp)
    .option("--json", "Results as JSON, one a line.");
}

function addServing(program: Command): void {
  program
    .command("start")
    .summary("start the server")
    .description("Starts the server: web page, REST, MQTT over WebSocket and TCP, all in this process.")
    .addOption(settingOption("httpPort", "port"))
    .addOption(settingOption("mqttPort", "port"))
    .addOption(settingOption("mqttWsPort", "port"))
    .addOption(settingOption("host", "address"))
    .addOption(settingOption("dataDir", "folder"))
    .addOption(settingOption("apps", "ids"))
    .option("--dev", "Development sign-in. (default on loopback; CHAT21_DEV)")
    .option("--no-dev", "No development sign-in.")
    .addOption(settingOption("tlsCert", "file"))
    .addOption(settingOption("tlsKey", "file"))
    .addOption(settingOption("logLevel", logLevels.join("|")))
    .addHelpText("after", help.start)
    .action(
      lazily(
        () => import("./commands/start.ts"),
        ({ start }) => start,
      ),
    );
  program
    .command("node")
    .summary("start one of several servers")
    .description(
      "Starts a node: all of the server, on a RabbitMQ and a MongoDB that it shares with other nodes. Start as many as you need.",
    )
    .addOption(optionOf(nodeSettings.httpPort, "port"))
    .addOption(optionOf(nodeSettings.mqttPort, "port"))
    .addOption(optionOf(nodeSettings.mqttWsPort, "port"))
    .addOption(optionOf(nodeSettings.host, "address"))
    .addOption(optionOf(nodeSettings.apps, "ids"))
    .addOption(optionOf(nodeSettings.tlsCert, "file"))
    .addOption(optionOf(nodeSettings.tlsKey, "file"))
    .addOption(optionOf(nodeSettings.logLevel, logLevels.join("|")))
    .addHelpText("after", () => `\n${environmentHelp(nodeSettings)}\n${help.node}`)
    .action(
      lazily(
        () => import("./commands/node.ts"),
        ({ node }) => node,
      ),
    );
}

function addTalking(program: Command): void {
  const token = program
    .command("token <user>")
    .summary("make a token")
    .description("Makes a token for a person, a bot or a backend.")
    .option("--admin", "May act for every user of the app.")
    .option("--ttl <time>", "How long it lives: 90s, 15m, 12h, 30d. (default 1h, compat 1d)")
    .option("--client-id <id>", "MQTT client id a strict token is for. (default a new UUID)")
    .option("--app <id>", "App id.", defaultApp)
    .addOption(
      new Option("--profile <name>", "Kind of token.").choices(["strict", "compat"]).default("strict"),
    )
    .option("--json", "Show all about it as JSON.")
    .addOption(settingOption("dataDir", "folder"))
    .addHelpText("after", help.token)
    .action(
      lazily(
        () => import("./commands/token.ts"),
        ({ token }) => token,
      ),
    );
  withServer(token.command("revoke <user>"))
    .summary("end tokens of a person")
    .description(
      "Revokes every token of a person that was made until now, or one by its id; live connections are closed.",
    )
    .option("--id <token id>", "Only this token: its jti, which token --json shows.")
    .action(
      lazily(
        () => import("./commands/token.ts"),
        ({ revokeTokens }) => revokeTokens,
      ),
    );
  token
    .command("check <token>")
    .summary("say what a server does with a token")
    .description("Says whether a server with this secret takes a token, and which rule it fails; - reads it.")
    .option("--json", "Show all about it as JSON.")
    .addOption(settingOption("dataDir", "folder"))
    .addHelpText("after", help.check)
    .action(
      lazily(
        () => import("./commands/check-token.ts"),
        ({ checkToken }) => checkToken,
      ),
    );
  addKeys(program);
  withServer(program.command("send <recipient> <text...>"))
    .summary("send a message")
    .description("Sends a message to a person or a group; - reads the text from standard input.")
    .requiredOption("--as <user>", "Who sends.")
    .option("--fullname <name>", "How the sender is called.")
    .addHelpText("after", help.send)
    .action(
      lazily(
        () => import("./commands/send.ts"),
        ({ send }) => send,
      ),
    );
  withServer(program.command("tail"))
    .summary("show messages as they come")
    .description("Shows a person's messages as they come.")
    .requiredOption("--as <user>", "Whose messages.")
    .option("--with <id>", "Only those with this person or group.")
    .addHelpText("after", help.tail)
    .action(
      lazily(
        () => import("./commands/tail.ts"),
        ({ tail }) => tail,
      ),
    );
  withServer(program.command("history <id>"))
    .summary("show earlier messages")
    .description("Shows the newest messages with a person or in a group, oldest first.")
    .requiredOption("--as <user>", "Whose view of the conversation.")
    .option("--limit <count>", "At most so many.", "20")
    .option("--before <number>", "Only those before this number.")
    .addHelpText("after", help.history)
    .action(
      lazily(
        () => import("./commands/history.ts"),
        ({ history }) => history,
      ),
    );
}

function addKeys(program: Command): void {
  const keys = program
    .command("key")
    .summary("keys for backends")
    .description("Looks after server keys: a backend calls REST with one, as an admin of its app.")
    .addHelpText("after", help.key);
  const load = () => import("./commands/key.ts");
  withServer(keys.command("create <name>"))
    .description("Makes a key and shows it, this once. The name is the user that the backend acts as.")
    .option("--expires <time>", "When it ends by itself: 12h, 90d. (default never)")
    .action(lazily(load, ({ createKey }) => createKey));
  withServer(keys.command("list"))
    .description("Lists the keys of the app, without the keys themselves.")
    .action(lazily(load, ({ listKeys }) => listKeys));
  withServer(keys.command("revoke <ids...>"))
    .description("Ends keys at once, by their ids.")
    .action(lazily(load, ({ revokeKeys }) => revokeKeys));
}

function addPeople(program: Command): void {
  const users = program.command("users").description("Looks after the people that the server knows.");
  const load = () => import("./commands/users.ts");
  withServer(users.command("list"))
    .description("Lists them.")
    .action(lazily(load, ({ listUsers }) => listUsers));
  withServer(users.command("show <user>"))
    .description("Shows one, with presence.")
    .action(lazily(load, ({ showUser }) => showUser));
  withServer(users.command("put <user>"))
    .description("Adds one, or replaces the profile.")
    .option("--fullname <name>", "Full name.")
    .option("--firstname <name>", "First name.")
    .option("--lastname <name>", "Last name.")
    .option("--email <address>", "Mail address.")
    .option("--attributes <json>", "Anything else, a JSON object.")
    .action(lazily(load, ({ putUser }) => putUser));
  withServer(users.command("delete <user>"))
    .description("Removes the profile; what the person wrote stays (see erase).")
    .action(lazily(load, ({ deleteUser }) => deleteUser));
}

function addGroups(program: Command): void {
  const groups = program.command("groups").description("Looks after groups.");
  const load = () => import("./commands/groups.ts");
  withServer(groups.command("list"))
    .description("Lists all groups of the app, or those that a person is in.")
    .option("--user <id>", "Only the groups of this person.")
    .action(lazily(load, ({ listGroups }) => listGroups));
  withServer(groups.command("create <name> [members...]"))
    .description("Creates a group.")
    .requiredOption("--owner <user>", "Who owns it.")
    .option("--id <id>", "Its id, which must contain group-. (default group- and a UUID)")
    .action(lazily(load, ({ createGroup }) => createGroup));
  withServer(groups.command("show <group>"))
    .description("Shows a group.")
    .action(lazily(load, ({ showGroup }) => showGroup));
  withServer(groups.command("members <group>"))
    .description("Lists a group's members, one a line.")
    .action(lazily(load, ({ listMembers }) => listMembers));
  withServer(groups.command("add <group> <users...>"))
    .description("Adds members.")
    .action(lazily(load, ({ addMembers }) => addMembers));
  withServer(groups.command("remove <group> <users...>"))
    .description("Removes members.")
    .action(lazily(load, ({ removeMembers }) => removeMembers));
}

function addWebhooks(program: Command): void {
  const webhooks = program
    .command("webhooks")
    .description("Looks after webhooks: endpoints, deliveries, replay.");
  const load = () => import("./commands/webhooks.ts");
  withServer(webhooks.command("list"))
    .description("Lists the endpoints of the running server.")
    .action(lazily(load, ({ listEndpoints }) => listEndpoints));
  withServer(webhooks.command("log"))
    .description("Shows deliveries, newest first.")
    .option("--endpoint <url>", "Only to this endpoint.")
    .addOption(new Option("--state <state>", "Only in this state.").choices(["pending", "delivered", "dead"]))
    .option("--event <name>", "Only of this event.")
    .option("--limit <count>", "At most so many.", "20")
    .action(lazily(load, ({ showLog }) => showLog));
  withServer(webhooks.command("replay [ids...]"))
    .description("Delivers again: by id, or every dead letter of an endpoint.")
    .option("--dead-of <url>", "Every dead letter of this endpoint.")
    .action(lazily(load, ({ replay }) => replay));
  withServer(webhooks.command("retry <url>"))
    .description("Tries now what waits for an endpoint.")
    .action(lazily(load, ({ retry }) => retry));
  withServer(webhooks.command("skip <ids...>"))
    .description("Makes waiting deliveries dead letters, so that their conversations go on.")
    .action(lazily(load, ({ skip }) => skip));
  withServer(webhooks.command("test [url]"))
    .description("Sends a signed test event to an endpoint now, and shows what it answered.")
    .action(lazily(load, ({ testEndpoint }) => testEndpoint));
}

function addKeeping(program: Command): void {
  program
    .command("backup <file>")
    .summary("copy the database while the server runs")
    .description("Copies the database to a file.")
    .option("--force", "Replace the file when it exists.")
    .option("--json", "Show the result as JSON.")
    .addOption(settingOption("dataDir", "folder"))
    .addHelpText("after", help.backup)
    .action(
      lazily(
        () => import("./commands/backup.ts"),
        ({ backup }) => backup,
      ),
    );
  program
    .command("restore <file>")
    .summary("take a backup back")
    .description("Puts a backup in the place of the database.")
    .option("--force", "Replace the data that is there; it is kept beside the new database.")
    .option("--json", "Show the result as JSON.")
    .addOption(settingOption("dataDir", "folder"))
    .addHelpText("after", help.restore)
    .action(
      lazily(
        () => import("./commands/restore.ts"),
        ({ restore }) => restore,
      ),
    );
  program
    .command("import <uri>")
    .summary("take over the database of an original Chat21")
    .description("Takes over messages, conversations, groups and push registrations of an original Chat21.")
    .option("--into <uri>", "Into MongoDB, instead of the data folder; may be the same database.")
    .option("--app <id>", "Only this app; may be given several times. (default all)", collect)
    .option("--dry-run", "Look at everything and write nothing.")
    .option("--rejects <file>", "Add what is not taken over to this file, with the reason, as JSON lines.")
    .option(
      "--work-dir <folder>",
      "Folder for sorting; takes about 300 bytes a document. (default the system's)",
    )
    .option("--json", "Show the summary as JSON.")
    .addOption(settingOption("dataDir", "folder"))
    .addHelpText("after", help.import)
    .action(
      lazily(
        () => import("./original/import-command.ts"),
        ({ importOriginal }) => importOriginal,
      ),
    );
  withServer(program.command("erase <user>"))
    .summary("erase a person")
    .description("Erases a person and everything the person wrote.")
    .option("--yes", "Do not ask.")
    .addHelpText("after", help.erase)
    .action(
      lazily(
        () => import("./commands/erase.ts"),
        ({ erase }) => erase,
      ),
    );
  program
    .command("doctor")
    .summary("check this machine and the data folder")
    .description("Checks everything a server needs, and says what to do.")
    .addOption(settingOption("httpPort", "port"))
    .addOption(settingOption("mqttPort", "port"))
    .addOption(settingOption("mqttWsPort", "port"))
    .addOption(settingOption("host", "address"))
    .addOption(settingOption("dataDir", "folder"))
    .option("--rebuild", "Write changed messages anew from the log first.")
    .option("--json", "As JSON.")
    .addHelpText("after", help.doctor)
    .action(
      lazily(
        () => import("./commands/doctor.ts"),
        ({ doctor }) => doctor,
      ),
    );
}
