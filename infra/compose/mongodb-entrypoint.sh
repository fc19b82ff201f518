#!/bin/sh
# Writes the key of the replica set into a file that only mongod's user may read. Then starts MongoDB as the image does.
set -eu
key=/tmp/chat21-replica-key
umask 077
printf '%s\n' "$CHAT21_MONGO_REPLICA_KEY" >"$key"
unset CHAT21_MONGO_REPLICA_KEY
[ "$(id -u)" -ne 0 ] || chown mongodb:mongodb "$key"
exec docker-entrypoint.sh "$@"
