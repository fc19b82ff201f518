/** Ports of one broker, all on the loopback interface. */
export interface RabbitPorts {
  readonly amqp: number;
  readonly mqtt: number;
  readonly webMqtt: number;
  readonly management: number;
  readonly prometheus: number;
  /** Between Erlang nodes and tools. */
  readonly distribution: number;
  /** Of Erlang's port mapper: a private one, so that it ends with the broker. */
  readonly portMapper: number;
}

/** What the broker has beyond AMQP. */
const plugins = [
  "rabbitmq_auth_backend_oauth2",
  "rabbitmq_consistent_hash_exchange",
  "rabbitmq_management",
  "rabbitmq_mqtt",
  "rabbitmq_prometheus",
  "rabbitmq_web_mqtt",
] as const;

/** `enabled_plugins`. */
export const enabledPlugins = `[${plugins.join(",")}].\n`;

/** `rabbitmq.conf`. */
export function rabbitConfig({ amqp, mqtt, webMqtt, management, prometheus }: RabbitPorts): string {
  return `${[
    `listeners.tcp.1 = 127.0.0.1:${amqp}`,
    `mqtt.listeners.tcp.1 = 127.0.0.1:${mqtt}`,
    "mqtt.vhost = /",
    "mqtt.exchange = amq.topic",
    "mqtt.allow_anonymous = false",
    "web_mqtt.tcp.ip = 127.0.0.1",
    `web_mqtt.tcp.port = ${webMqtt}`,
    "web_mqtt.ws_path = /ws",
    "management.tcp.ip = 127.0.0.1",
    `management.tcp.port = ${management}`,
    "prometheus.tcp.ip = 127.0.0.1",
    `prometheus.tcp.port = ${prometheus}`,
    // What a developer's disk has left is no reason to block publishers.
    "disk_free_limit.absolute = 50MB",
  ].join("\n")}\n`;
}

/** An Erlang binary of any text. */
const binary = (text: string) => `<<${[...Buffer.from(text)].join(",")}>>`;

/** `advanced.config`: tokens signed with the shared secret, and guest for our own AMQP connections. */
export function rabbitAdvancedConfig(jwtSecret: string): string {
  const key = `{map, #{<<"kty">> => <<"MAC">>, <<"alg">> => <<"HS256">>, <<"value">> => ${binary(jwtSecret)}}}`;
  return `[
  {rabbit, [{auth_backends, [rabbit_auth_backend_oauth2, rabbit_auth_backend_internal]}]},
  {rabbitmq_auth_backend_oauth2, [
    {resource_server_id, <<"rabbitmq">>},
    {key_config, [
      {default_key, <<"chat21">>},
      {signing_keys, #{<<"chat21">> => ${key}}}
    ]}
  ]}
].
`;
}
