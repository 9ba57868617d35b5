#!/usr/bin/env bash
# Every check and test. What the machine lacks is installed where we may (Debian, as root); otherwise it is said, and
# with CI=true nothing may be left out.
#   tools/test.sh          everything
#   tools/test.sh check    style, types, layers
#   tools/test.sh walk     the walk in the browser
set -uo pipefail
cd "$(dirname "$0")/.."
part=${1:-all}
bin=.venv/bin
missing=()
leave=()  # what is cleared away at the end
trap 'for deed in "${leave[@]:+${leave[@]}}"; do eval "$deed"; done' EXIT

say() { printf '\n== %s\n' "$1"; }
stop() { echo "$1" >&2; exit 1; }

may_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

install() {  # install PACKAGE…
  may_install || return 1
  [ -e /tmp/.samen-apt-updated ] || apt-get update -qq >/dev/null 2>&1 && touch /tmp/.samen-apt-updated
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null 2>&1
}

need_chromium() {
  for name in "${SAMEN_CHROMIUM:-}" chromium chromium-browser google-chrome; do
    [ -n "$name" ] && command -v "$name" >/dev/null && return 0
  done
  say "installing Chromium for the walk"
  install chromium && command -v chromium >/dev/null
}

answers() { $bin/python - "$1" <<'PY' >/dev/null 2>&1
import sys, sqlalchemy
sqlalchemy.create_engine(sys.argv[1]).connect().close()
PY
}

need_postgresql() {
  local socket="postgresql+psycopg:///postgres" tcp="postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
  for url in "${SAMEN_TEST_POSTGRESQL:-}" "$socket" "$tcp"; do
    [ -n "$url" ] && answers "$url" && { export SAMEN_TEST_POSTGRESQL=$url; return 0; }
  done
  own_postgresql
}

own_postgresql() {  # a cluster of our own, in a folder of our own, for this run only
  local found data="${TMPDIR:-/tmp}/samen-postgresql-$$" runner=()
  found=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1)
  if [ -z "$found" ]; then
    say "installing PostgreSQL for the tests"
    install postgresql || return 1
    found=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1)
  fi
  [ -n "$found" ] || return 1
  mkdir -p "$data"
  if [ "$(id -u)" = 0 ]; then chown postgres "$data"; runner=(runuser -u postgres --); fi
  "${runner[@]}" "$found/initdb" -D "$data/db" -A trust -U postgres >/dev/null || return 1
  "${runner[@]}" "$found/pg_ctl" -D "$data/db" -w -l "$data/log" \
    -o "-p 54321 -k $data -c listen_addresses=127.0.0.1 -c fsync=off" start >/dev/null || return 1
  leave+=("${runner[*]} $found/pg_ctl -D $data/db -m immediate stop >/dev/null; rm -rf $data")
  export SAMEN_TEST_POSTGRESQL="postgresql+psycopg://postgres@127.0.0.1:54321/postgres"
  answers "$SAMEN_TEST_POSTGRESQL"
}

check() {
  say "style"; $bin/ruff check . && $bin/ruff format --check -q . || stop "Style: run 'make format'."
  say "types"; $bin/mypy || stop "Types: see above."
  say "layers"; $bin/lint-imports --no-cache >.venv/layers.log 2>&1 || { cat .venv/layers.log; stop "Layers: see above."; }
  tail -2 .venv/layers.log
}

without() {  # a part this machine cannot run
  [ "${CI:-}" = true ] && stop "$1"
  missing+=("$1")
}

in_memory() {  # folders of tests, where there is room: nobody waits for a disk that nothing is kept on
  local free
  free=$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')
  [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ] && [ "${free:-0}" -gt 2000000 ] || return 0
  TMPDIR=$(mktemp -d /dev/shm/samen-tests-XXXXXX)
  export TMPDIR
  leave+=("rm -rf $TMPDIR")
}

tests() {
  local paths=(tests --ignore=tests/walks)
  if need_postgresql; then export SAMEN_TEST_DATABASES=sqlite,postgresql
  else export SAMEN_TEST_DATABASES=sqlite; without "No PostgreSQL here: the same suite ran on SQLite only."; fi
  if need_chromium; then paths=(tests)
  else without "No Chromium here: the walk in the browser was left out."; fi
  [ "$part" = walk ] && paths=(tests/walks)
  in_memory
  say "tests"
  $bin/python -m pytest -q -n "${SAMEN_TEST_WORKERS:-auto}" --dist loadfile --no-loadscope-reorder "${paths[@]}" || stop "Tests: see above."
}

case $part in
  check) check ;;
  walk) tests ;;
  all) check; tests ;;
  *) stop "tools/test.sh knows: check, walk, or nothing for everything." ;;
esac
for line in "${missing[@]:+${missing[@]}}"; do echo "note: $line"; done
