#!/bin/sh
# Installs Evenhand @VERSION@ from the files beside this script: no network is used, and each package is checked against its hash.
#
#   ./install.sh [FOLDER]     FOLDER: where it goes, ./evenhand unless given; an older Evenhand there is brought up to date
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-./evenhand}

say() { printf '%s\n' "$*" >&2; }

[ "$(uname -s) $(uname -m)" = '@SYSTEM@ @MACHINE@' ] || {
    say "This archive was made for @SYSTEM@ on @MACHINE@, and this is $(uname -s) on $(uname -m)."
    say 'Make one on a machine of this kind: make offline, in a clone of Evenhand.'
    exit 1
}
python=
for one in "${PYTHON:-}" python@PYTHON@ python3; do
    [ -n "$one" ] || continue
    if "$one" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info[:2] != (@PYTHON_TUPLE@))' >/dev/null 2>&1; then
        python=$one
        break
    fi
done
[ -n "$python" ] || {
    say 'This archive was made for Python @PYTHON@ with its venv module, and found none.'
    say 'Name one: PYTHON=/path/to/python@PYTHON@ ./install.sh. Or make an archive with the Python that is here: make offline.'
    exit 1
}
if [ -e "$folder" ] && [ ! -f "$folder/pyvenv.cfg" ] && [ -n "$(ls -A "$folder")" ]; then
    say "$folder holds something else. Name an empty folder: ./install.sh FOLDER"
    exit 1
fi

say "Installing Evenhand @VERSION@ into $folder"
"$python" -m venv "$folder"
# Neither settings of this machine's pip nor its environment may send it anywhere.
PIP_CONFIG_FILE=/dev/null "$folder/bin/python" -m pip --isolated --disable-pip-version-check install --quiet --no-input \
    --no-index --find-links "$here/wheels" --no-deps --require-hashes --requirement "$here/requirements.txt"
"$folder/bin/evenhand" --version >/dev/null
say "Installed. Start it with a demo: $folder/bin/evenhand up --demo"
