import picocolors from "picocolors";

/** Facts for a person when the server serves. */
export interface ReadyFacts {
  readonly url: string;
  /** The one address to open; `null`: nobody signs in by name. */
  readonly signInUrl: string | null;
  readonly hasWebPage: boolean;
  readonly mqttUrl: string | null;
  readonly mqttWsUrl: string;
  readonly dataDir: string;
  /** The command line that starts `chat21` here. */
  readonly command: string;
  /** The folder was given on this command line, so other commands need it as well. */
  readonly namesDataDir: boolean;
  /** Milliseconds since the process was started. */
  readonly startedInMs: number;
}

/** The lines that `chat21 start` shows at a terminal when it serves. */
export function readyMessage(facts: ReadyFacts): string {
  const { bold, cyan, dim, green } = picocolors;
  const aside = (label: string, text: string) => `    ${dim(label.padEnd(10))} ${text}`;
  const option = dataOption(facts);
  const mqtt = [facts.mqttUrl, facts.mqttWsUrl].filter((url) => url !== null).join("  ");
  return [
    "",
    `  ${green("Chat21 is running:")}  ${bold(cyan(addressOf(facts)))}  ${dim(`(in ${facts.startedInMs} ms)`)}`,
    `  ${nextStep(facts)}`,
    "",
    aside("a message", `${facts.command} send alice "Hello" --as bob${option}`),
    aside("MQTT", mqtt),
    aside("data", facts.dataDir),
    aside("more", `${facts.command} --help`),
    "",
    `  ${dim("Ctrl+C stops it.")}`,
    "",
  ].join("\n");
}

function addressOf({ hasWebPage, signInUrl, url }: ReadyFacts): string {
  return hasWebPage && signInUrl !== null ? signInUrl : url;
}

function nextStep(facts: ReadyFacts): string {
  if (facts.hasWebPage && facts.signInUrl !== null)
    return "Open it in two windows, sign in with two names, and chat.";
  return `Sign in with a token: ${facts.command} token alice${dataOption(facts)}`;
}

function dataOption({ namesDataDir, dataDir }: ReadyFacts): string {
  if (!namesDataDir) return "";
  return ` --data-dir ${/^[\w./~:\\-]+$/.test(dataDir) ? dataDir : JSON.stringify(dataDir)}`;
}
