#!/bin/sh
# Gives the replica set its key, which must be a file that only mongod's user may read, and starts as the image does.
set -eu
key=/tmp/chat21-replica-key
umask 077
printf '%s\n' "$CHAT21_MONGO_REPLICA_KEY" >"$key"
unset CHAT21_MONGO_REPLICA_KEY
[ "$(id -u)" -ne 0 ] || chown mongodb:mongodb "$key"
exec docker-entrypoint.sh "$@"
