#!/bin/sh
# Starts Kong with kong.yml, containers in place of Kubernetes' names, and the keys of clients, which no file of the
# repository has: API_KEYS, or the file that API_KEYS_FILE names, with spaces, commas or lines between them.
set -eu
umask 077

from=${REGISTRAR_CONFIG:-/opt/registrar/kong.yml}
keys=${API_KEYS:-}
if [ -n "${API_KEYS_FILE:-}" ]; then keys="$keys $(cat "$API_KEYS_FILE")"; fi
keys=$(printf '%s' "$keys" | tr ',\n' '  ')
unset API_KEYS

if [ -z "$(printf '%s' "$keys" | tr -d ' ')" ]; then
  echo 'API_KEYS has no key: nobody could use the API (kong/.env.example)' >&2
  exit 1
fi
{
  sed -E \
    -e 's#^( *url: http://[a-z-]+)\.[a-z.-]+$#\1:8080#' \
    -e 's#^( *host: redis)\.[a-z.-]+$#\1#' \
    "$from"
  echo 'keyauth_credentials:'
  for key in $keys; do
    case $key in
      *[!A-Za-z0-9_-]*) bad=1 ;;
      ????????????????*) bad=0 ;;
      *) bad=1 ;;
    esac
    # Never the key itself: this is logged.
    if [ "$bad" = 1 ]; then
      echo 'a key in API_KEYS is not 16 or more letters, digits, - and _' >&2
      exit 1
    fi
    printf '  - consumer: registrar\n    key: "%s"\n' "$key"
  done
} > "$KONG_DECLARATIVE_CONFIG"

# Docker's own image has the one, Kong's the other.
for entry in ${KONG_ENTRYPOINT:-/docker-entrypoint.sh /entrypoint.sh}; do
  if [ -x "$entry" ]; then exec "$entry" kong docker-start; fi
done
echo 'this image has no entrypoint of Kong' >&2
exit 1
