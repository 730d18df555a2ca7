#!/bin/sh
# Hands a request to lapse serve, goes on, and fetches the result when it is there.
#   client.sh http://127.0.0.1:8000 MODEL request.json
set -eu
server=$1 model=$2 request=$3
id=$(date +%s)-$$ # an id of our own: sending it again after a broken connection makes no second job
curl -fsS --retry 5 --retry-connrefused -X PUT -H 'Content-Type: application/json' --data-binary "@$request" "$server/v2/jobs/$id?model=$model" >/dev/null
# From here on the job is on the server's disk: whatever happens, it ends once.
state=queued
while [ "$state" = queued ] || [ "$state" = running ]; do
  sleep 0.2
  state=$(curl -fsS --retry 5 --retry-connrefused "$server/v2/jobs/$id" | sed -n 's/.*"state": *"\([a-z]*\)".*/\1/p' | head -n 1)
done
[ "$state" = done ] || { curl -fsS "$server/v2/jobs/$id" >&2; exit 1; }
curl -fsS "$server/v2/jobs/$id/result"
