import type { SettingTable } from "./read-settings.ts";

/** What the help is about. */
export interface HelpSubject {
  readonly name: string;
  readonly purpose: string;
  readonly settings: SettingTable;
  readonly hasWebhooks: boolean;
  readonly commands?: Readonly<Record<string, { readonly meaning: string }>>;
}

/** Text of `--help`: everything is chosen by the environment. */
export function serviceHelp({ name, purpose, settings, hasWebhooks, commands = {} }: HelpSubject): string {
  const usage = [
    [name, purpose],
    ...Object.entries(commands).map(([command, { meaning }]) => [`${name} ${command}`, meaning]),
    [`${name} --help`, "Shows this."],
    [`${name} --version`, "Shows the version."],
  ];
  const variables = Object.values(settings).map(({ names, meaning, defaultText }) => [
    names.join(", "),
    `${meaning} [${defaultText}]`,
  ]);
  const more = hasWebhooks ? ["", "and the WEBHOOK_ variables: see docs/configuration.md"] : [];
  return ["usage:", ...columns(usage), "", "environment:", ...columns(variables), ...more].join("\n");
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const width = Math.max(...rows.map(([first = ""]) => first.length));
  return rows.map(([first = "", second = ""]) => `  ${first.padEnd(width)}  ${second}`);
}
