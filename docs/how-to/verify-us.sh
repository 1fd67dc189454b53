#!/usr/bin/env bash
# Verify us: two rivals, one of them an affiliate of the operator, share workers for a week of simulated work. Each takes its
# evidence into a network namespace without a route and checks it there, with `evenhand verify` and with the one readable program.
# Then somebody who holds the log's signing key and the database tampers with the log in seven ways, and each is caught by name.
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
url=http://localhost:$EVENHAND_PORT
witness=http://127.0.0.1:$witness_port
started=()
loads=()
end() {
    for one in "${started[@]}"; do kill "$one" 2>/dev/null || true; done
    for one in "${started[@]}"; do wait "$one" 2>/dev/null || true; done
    started=()
}
finish() {
    end
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
# report NAME PROGRAM...: what it says, in NAME.json, and how it ends, in NAME.code
report() {
    local name=$1 code=0
    shift
    alone "$@" --key log.key --json >"$name.json" || code=$?
    echo "$code" >"$name.code"
}
cd "$place"

say "A week of work: two rivals, workers that both share, a witness that belongs to neither"
python "$here/verify_us.py" "$url" "$witness"

say "Each rival takes its evidence from the running server"
evenhand up --no-browser >up.txt 2>&1 &
started+=("$!")
until_answers "$url/log/checkpoint" first.checkpoint
curl -fs -o log.key "$url/log/key"
evenhand witness --folder witness --log "$url/log" --listen "127.0.0.1:$witness_port" --every 600 >witness.txt &
started+=("$!")
until_answers "$witness/key" witness.key
curl -fs -o policy "$url/log/policy"
for rival in alder birch; do
    curl -fs -o "$rival.zip" -H "authorization: Bearer $(cat "$rival.api-key")" "$url/api/v1/trust/bundle" &
    loads+=("$!")
done
wait "${loads[@]}"
curl -fs -o neutrality.json "$url/api/v1/neutrality"
evenhand verifier -o verify.py

say "Each rival, without a network"
for rival in alder birch; do
    given="$rival.zip --policy policy --key log.key --since $rival.checkpoint --against $rival-midweek.zip"
    # shellcheck disable=SC2086  # many words
    alone evenhand verify $given >command.said &
    with_command=$!
    # shellcheck disable=SC2086
    alone python verify.py $given >"$rival.said"
    wait "$with_command"
    cmp command.said "$rival.said"
    grep -q '^ok  *decisions' "$rival.said"
    grep -q '^ok  *times' "$rival.said"
    cat "$rival.said"
done

say "The log's key in other hands: seven tamperings"
end
python "$here/verify_us_tamper.py" "$witness"
echo 'quorum none' >nobody
while read -r name check bundle more; do
    # shellcheck disable=SC2086  # further words are arguments
    report command evenhand verify "$bundle" --policy policy $more &
    with_command=$!
    # shellcheck disable=SC2086
    report program python verify.py "$bundle" --policy policy $more
    wait "$with_command"
    report alone python verify.py "$bundle" --policy nobody  # and nothing to compare
    python "$here/verify_us_caught.py" "$name" "$check"
done <tamperings.txt
say "Everything is as it should be."
