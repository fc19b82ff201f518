#!/bin/sh
# Puts the keys into the configuration, forgets where they came from, and starts the broker as its image does.
set -eu
/opt/chat21/render-advanced-config.sh /opt/chat21/advanced.config.template "$RABBITMQ_ADVANCED_CONFIG_FILE"
unset CHAT21_JWT_SECRET CHAT21_JWT_SECRET_FILE
exec docker-entrypoint.sh "$@"
