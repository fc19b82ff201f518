import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findDebianFile } from "../../local/debian-program.ts";
import { findRabbit } from "../../local/rabbit-installation.ts";
import { programPath } from "./container.ts";

/** The replacement of a base image: the same programs, from packages of Debian. */
export interface Base {
  /** Folder with `/usr` and `/etc/alternatives`. */
  readonly system: string;
  /** More files, as path on this machine and path inside. */
  readonly programs: readonly (readonly [string, string])[];
  readonly environment: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  /** Whether the program asks name servers itself, and does not read `/etc/hosts`. */
  readonly needsNames: boolean;
}

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Returns what stands for a base image. Throws for one that nothing stands for. */
export async function findBase(name: string, folder: string): Promise<Base> {
  if (/^node:24-/.test(name)) return nodeBase;
  if (name.startsWith("nginxinc/nginx-unprivileged:")) return nginxBase(folder);
  if (name.startsWith("rabbitmq:4")) return rabbitBase(folder);
  throw new Error(`nothing stands for the base image ${name}`);
}

const nodeBase: Base = {
  system: "/",
  programs: [[process.execPath, "/usr/local/bin/node"]],
  environment: { PATH },
  entrypoint: [],
  command: ["node"],
  needsNames: false,
};

// What the image's entrypoint does, by its documentation: it fills in the templates with the variables that pass the
// filter. The name servers are one of these only where they are asked for.
const nginxEntrypoint = `#!/bin/sh
set -eu
if [ -n "\${NGINX_ENTRYPOINT_LOCAL_RESOLVERS:-}" ]; then
  NGINX_LOCAL_RESOLVERS=$(awk '$1 == "nameserver" { printf "%s ", $2 }' /etc/resolv.conf)
  export NGINX_LOCAL_RESOLVERS
fi
names=$(env | sed -n 's/^\\([A-Za-z_][A-Za-z0-9_]*\\)=.*/\\1/p' | grep -E "\${NGINX_ENVSUBST_FILTER:-}" | sed 's/.*/\${&}/')
for template in /etc/nginx/templates/*.template; do
  envsubst "$names" <"$template" >"/etc/nginx/conf.d/$(basename "$template" .template)"
done
exec "$@"
`;

// The image's nginx.conf runs without root, and includes conf.d.
const nginxConfig = `pid /tmp/nginx.pid;
error_log /dev/stderr notice;
events {}
http {
  client_body_temp_path /tmp/client_temp;
  proxy_temp_path /tmp/proxy_temp;
  fastcgi_temp_path /tmp/fastcgi_temp;
  uwsgi_temp_path /tmp/uwsgi_temp;
  scgi_temp_path /tmp/scgi_temp;
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  include /etc/nginx/conf.d/*.conf;
}
`;

async function nginxBase(folder: string): Promise<Base> {
  const nginx = await programPath("nginx", "usr/sbin/nginx");
  const types = await findDebianFile("nginx-common", "etc/nginx/mime.types");
  await mkdir(folder, { recursive: true });
  const entrypoint = join(folder, "docker-entrypoint.sh");
  const config = join(folder, "nginx.conf");
  await Promise.all([
    writeFile(entrypoint, nginxEntrypoint, { mode: 0o755 }),
    writeFile(config, nginxConfig),
  ]);
  return {
    system: "/",
    programs: [
      [nginx, "/usr/local/sbin/nginx"],
      [await programPath("gettext-base", "usr/bin/envsubst"), "/usr/local/bin/envsubst"],
      [await programPath("wget", "usr/bin/wget"), "/usr/local/bin/wget"],
      [types, "/etc/nginx/mime.types"],
      [config, "/etc/nginx/nginx.conf"],
      [entrypoint, "/docker-entrypoint.sh"],
    ],
    environment: { PATH },
    entrypoint: ["/docker-entrypoint.sh"],
    command: ["nginx", "-g", "daemon off;"],
    needsNames: true,
  };
}

// The image's entrypoint goes on to the command, as the user that the image names.
const rabbitEntrypoint = '#!/bin/sh\nexec "$@"\n';

async function rabbitBase(folder: string): Promise<Base> {
  const { programs } = await findRabbit(() => {}, "4");
  await mkdir(folder, { recursive: true });
  const entrypoint = join(folder, "docker-entrypoint.sh");
  await writeFile(entrypoint, rabbitEntrypoint, { mode: 0o755 });
  return {
    system: join(programs, "root"),
    programs: [[entrypoint, "/usr/local/bin/docker-entrypoint.sh"]],
    environment: {
      PATH: `/usr/lib/rabbitmq/bin:${PATH}`,
      HOME: "/var/lib/rabbitmq",
      RABBITMQ_LOGS: "-",
      LANG: "C.UTF-8",
    },
    entrypoint: ["docker-entrypoint.sh"],
    command: ["rabbitmq-server"],
    needsNames: false,
  };
}
