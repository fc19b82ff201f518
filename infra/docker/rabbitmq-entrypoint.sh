#!/bin/sh
# Writes the keys into the configuration, removes them from the environment, and starts the broker as its image does.
set -eu
/opt/chat21/render-advanced-config.sh /opt/chat21/advanced.config.template "$RABBITMQ_ADVANCED_CONFIG_FILE"
unset CHAT21_JWT_SECRET CHAT21_JWT_SECRET_FILE
exec docker-entrypoint.sh "$@"
