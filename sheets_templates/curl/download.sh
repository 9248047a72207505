#!/bin/sh
# Downloads tables with curl (7.76 or newer) into this folder. Run again, it fetches again only what has changed.
#   SHEETS_ADDRESS=https://sheets.example.org SHEETS_KEY=pss_… sh download.sh
# On the machine that runs the service neither is needed.
set -eu
address=${SHEETS_ADDRESS:-http://127.0.0.1:8000}

get() { # file, path: an error is shown, and leaves the file as it was
  [ -e "$1" ] || rm -f "$1.etag"
  # The key goes in by standard input, so that it doesn't stand in the list of processes.
  if ! {
    if [ -n "${SHEETS_KEY:-}" ]; then printf 'header = "Authorization: Bearer %s"\n' "$SHEETS_KEY"; fi
  } | curl --fail-with-body --silent --show-error --config - --etag-compare "$1.etag" --etag-save "$1.etag.new" \
    --output "$1.new" "$address/$2"; then
    cat "$1.new" >&2 2>/dev/null || true
    rm -f "$1.new" "$1.etag.new"
    exit 1
  fi
  if [ -e "$1.new" ]; then
    mv "$1.new" "$1"
    mv "$1.etag.new" "$1.etag"
  else
    rm -f "$1.etag.new"
  fi
}

get meters.csv "meters.csv"
get last-month.csv "usage.csv?period=last-month"
get days.xlsx "usage.xlsx?period=last-12-months&aggregate=day&layout=wide"
get gaps.csv "gaps.csv?period=all"
