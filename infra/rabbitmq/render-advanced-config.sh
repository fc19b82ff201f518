#!/bin/sh
# Writes RabbitMQ's advanced.config with the keys that verify tokens.
#
#   render-advanced-config.sh TEMPLATE OUTPUT
#
# CHAT21_JWT_SECRET: the shared secret of HS256 tokens, byte for byte. CHAT21_JWT_SECRET_FILE: a file with this secret;
# one
#   newline at its end does not count.
# CHAT21_JWT_KEYS_DIR: a folder of ES256 public keys, one <kid>.pem each.
# CHAT21_JWKS_URI: an address from which RabbitMQ 4 fetches more keys (RabbitMQ 3.10 must not: see docs/security.md).
set -eu
umask 077

fail() {
  echo "render-advanced-config: $1" >&2
  exit 1
}

[ $# -eq 2 ] || fail "usage: render-advanced-config.sh TEMPLATE OUTPUT"
template=$1
output=$2
[ -r "$template" ] || fail "cannot read $template"

# Writes bytes as numbers for an Erlang binary, so that no character of a secret can end the string.
bytes_of() { od -An -v -tu1 | tr -s ' \n' ',' | sed 's/^,//; s/,$//'; }

if [ -n "${CHAT21_JWT_SECRET_FILE:-}" ]; then
  [ -r "$CHAT21_JWT_SECRET_FILE" ] || fail "cannot read CHAT21_JWT_SECRET_FILE ($CHAT21_JWT_SECRET_FILE)"
  # A command substitution drops only the newlines at the end.
  CHAT21_JWT_SECRET=$(cat "$CHAT21_JWT_SECRET_FILE")
fi

keys=
add() { keys="${keys:+$keys, }$1"; }

if [ -n "${CHAT21_JWT_SECRET:-}" ]; then
  secret=$(printf %s "$CHAT21_JWT_SECRET" | bytes_of)
  add "<<\"chat21\">> => {map, #{<<\"kty\">> => <<\"MAC\">>, <<\"alg\">> => <<\"HS256\">>, <<\"value\">> => <<$secret>>}}"
fi
if [ -n "${CHAT21_JWT_KEYS_DIR:-}" ]; then
  for pem in "$CHAT21_JWT_KEYS_DIR"/*.pem; do
    [ -r "$pem" ] || fail "no readable .pem in CHAT21_JWT_KEYS_DIR ($CHAT21_JWT_KEYS_DIR)"
    grep -q 'BEGIN PUBLIC KEY' "$pem" || fail "$pem is not a public key: the broker needs no other"
    kid=$(basename "$pem" .pem | tr -d '\n' | bytes_of)
    add "<<$kid>> => {pem, <<$(bytes_of <"$pem")>>}"
  done
fi

jwks=${CHAT21_JWKS_URI:-}
if [ -n "$jwks" ]; then
  grep -q '@JWKS_URI@' "$template" || fail "CHAT21_JWKS_URI is for RabbitMQ 4: an older one would forget its other keys"
  case $jwks in
  *[!A-Za-z0-9:/._~%?=\&-]*) fail "CHAT21_JWKS_URI is not a plain URL" ;;
  http://* | https://*) ;;
  *) fail "CHAT21_JWKS_URI must begin with https:// (or http:// inside a private network)" ;;
  esac
fi

[ -n "$keys$jwks" ] || fail "nothing to verify tokens with: set CHAT21_JWT_SECRET(_FILE), CHAT21_JWT_KEYS_DIR or CHAT21_JWKS_URI"

# awk reads the keys from the environment: no list of processes shows them, and no character is special.
KEYS=$keys JWKS=$jwks awk '
  function put(mark, text,    at) {
    at = index($0, mark)
    if (at) $0 = substr($0, 1, at - 1) text substr($0, at + length(mark))
  }
  function address(name) { return ENVIRON["JWKS"] == "" ? "" : "{" name ", \"" ENVIRON["JWKS"] "\"}," }
  {
    put("@SIGNING_KEYS@", ENVIRON["KEYS"])
    put("@JWKS_URI@", address("jwks_uri"))
    put("@JWKS_URL@", address("jwks_url"))
    print
  }
' "$template" >"$output.new"
mv "$output.new" "$output"
