# syntax=docker/dockerfile:1
# Image of RabbitMQ 4 with our configuration. The keys are given at start. Build it in the root of the repository:
#   docker build --file infra/docker/rabbitmq.Dockerfile --tag chat21/rabbitmq .
# A test runs what is copied here, without an engine; not yet built as an image.
FROM rabbitmq:4.2-management-alpine
LABEL org.opencontainers.image.title="chat21-rabbitmq" org.opencontainers.image.licenses="MPL-2.0"
COPY infra/rabbitmq/4/enabled_plugins /etc/rabbitmq/enabled_plugins
COPY infra/rabbitmq/4/rabbitmq.conf /etc/rabbitmq/conf.d/90-chat21.conf
COPY infra/rabbitmq/4/advanced.config /opt/chat21/advanced.config.template
COPY --chmod=755 infra/rabbitmq/render-advanced-config.sh infra/docker/rabbitmq-entrypoint.sh /opt/chat21/
# A folder for the configuration that only the broker's user may write and read.
ENV RABBITMQ_ADVANCED_CONFIG_FILE=/var/lib/rabbitmq/chat21-advanced.config
USER rabbitmq
EXPOSE 1883 15675
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s --retries=4 \
  CMD ["sh", "-c", "rabbitmq-diagnostics --quiet check_running && rabbitmq-diagnostics --quiet check_port_connectivity"]
ENTRYPOINT ["/opt/chat21/rabbitmq-entrypoint.sh"]
CMD ["rabbitmq-server"]
