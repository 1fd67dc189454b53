#!/usr/bin/env bash
# Verify us: two rivals, one of them an affiliate of the operator, share workers for a week of simulated work. Each takes its
# evidence into a network namespace without a route and checks it there with the one readable program. Then somebody who holds
# the log's signing key and the database tampers with it in seven ways, and each is caught by name.
#
#     docs/how-to/verify-us.sh            exits 0 only if all of that is so
#
# It needs an installed Evenhand (`make run` once) and unshare of util-linux; it makes a home of its own and removes it.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
place=$(mktemp -d /tmp/evu-XXXXXX)
export EVENHAND_HOME=$place/home EVENHAND_ALLOW_PRIVATE_ADDRESSES=1
free_port() { python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
EVENHAND_PORT=$(free_port)
export EVENHAND_PORT
witness_port=$(free_port)
log=http://localhost:$EVENHAND_PORT/log
started=()
finish() {
    for one in "${started[@]}"; do kill "$one" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$place"
}
trap finish EXIT
say() { printf '\n== %s\n' "$*"; }
until_answers() {
    for _ in $(seq 600); do
        if curl -fs -o "$2" "$1"; then return; fi
        sleep 0.1
    done
    echo "$1 does not answer" >&2
    exit 1
}
# What is given runs where there is no network at all, not even the loopback.
alone() { unshare --map-root-user --net -- "$@"; }

cd "$place"
say "An installation with two rivals and shared workers; a witness that belongs to neither"
evenhand up --demo --no-browser >up.txt 2>&1 &
server=$!
started+=("$server")
until_answers "$log/checkpoint" first.checkpoint
curl -fs -o log.key "$log/key"
evenhand verifier -o verify.py
evenhand witness --folder witness --name witness.example --log "$log" --listen "127.0.0.1:$witness_port" --every 600 >witness.txt &
started+=("$!")
until [ -s witness.txt ]; do sleep 0.1; done
evenhand log witness neutral "$(head -n 1 witness.txt)" "http://127.0.0.1:$witness_port"
evenhand contract affiliate --org "Birch Works"

say "A week of simulated work, in seven rounds"
python "$here/verify_us.py" work "http://localhost:$EVENHAND_PORT"
curl -fs -o policy "$log/policy"

say "Each rival, without a network"
for rival in alder birch; do
    alone python verify.py "$rival.zip" --policy policy --key log.key --since "$rival.checkpoint" --against "$rival-midweek.zip" |
        tee "$rival.said"
    grep -q '^ok  *decisions' "$rival.said"
done

say "The log's key in other hands: seven tamperings"
kill "$server"
wait "$server" || true
python "$here/verify_us.py" tamper
while read -r name check bundle more; do
    code=0
    # shellcheck disable=SC2086  # further words are arguments
    alone python verify.py "$bundle" --policy policy --key log.key --json $more >said.json || code=$?
    python "$here/verify_us.py" caught "$name" "$check" "$code" said.json
done <tamperings.txt
say "Everything is as it should be."
