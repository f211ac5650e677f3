#!/usr/bin/env bash
# Makes the Python 3.10 environment that Rasa 3.6.21 needs (2.7 GB, some minutes, once):
#   bench/understanding/rasa_environment.sh [FOLDER]     default: ../rasa310 beside the repository
# Looks for a Python 3.10 in $PYTHON310, pyenv, PATH and uv; says what to do where there is none.
set -euo pipefail

root="$(cd "$(dirname "$0")/../.." && pwd)"
folder="${1:-$root/../rasa310}"
version=3.6.21

works() { "$1" -c 'import sys, ssl, sqlite3; sys.exit(sys.version_info[:2] != (3, 10))' 2>/dev/null; }

find_python() {
    local candidate
    for candidate in "${PYTHON310:-}" python3.10 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.10.*/bin/python; do
        if [ -n "$candidate" ] && works "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    for candidate in uv "$root/.venv/bin/uv"; do
        if command -v "$candidate" >/dev/null && "$candidate" python install -q 3.10 2>/dev/null; then
            "$candidate" python find 3.10
            return
        fi
    done
    echo "Rasa $version needs Python 3.10: install it (pyenv install 3.10, or uv) or name it in PYTHON310" >&2
    return 1
}

if [ -x "$folder/bin/rasa" ]; then
    echo "$folder has Rasa already"
    exit 0
fi
python="$(find_python)"
echo "== $folder with $("$python" --version)"
"$python" -m venv "$folder"
# Rasa imports pkg_resources, which newer setuptools no longer bring.
"$folder/bin/python" -m pip install -q --disable-pip-version-check 'setuptools<81' wheel
"$folder/bin/python" -m pip install -q --disable-pip-version-check --no-compile "rasa==$version"
"$folder/bin/python" -c 'import importlib.metadata; print("rasa", importlib.metadata.version("rasa"))'
