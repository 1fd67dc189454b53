#!/bin/sh
# Compiles the lists in pyproject.toml into requirements*.txt, with hashes for every platform and no registry address.
set -eu
cd "$(dirname "$0")/.."
command -v uv >/dev/null 2>&1 || { echo 'This needs uv: pip install uv' >&2; exit 1; }
compile() {
    echo "compiling $1"
    out=$1; shift
    uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
        --no-emit-index-url --no-emit-find-links "$@" -o "$out"
}
compile requirements.txt pyproject.toml
compile requirements-build.txt --group build -c requirements.txt
compile requirements-dev.txt pyproject.toml --group dev -c requirements.txt -c requirements-build.txt
if grep -nE '://|^--' requirements.txt requirements-build.txt requirements-dev.txt; then
    echo 'An address or an option got into a requirements file (above).' >&2
    exit 1
fi
