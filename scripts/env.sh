# Sourced by scripts/demo and scripts/test: makes .venv in the clone from a lock file whose hashes are checked.
# Needs Python 3.11 or newer with venv and pip; uv is used where present, for speed only.
# Usage: . scripts/env.sh; make_env run|dev

find_python() {
    for candidate in python3 python3.13 python3.12 python3.11 python3.14 python; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "greengauge: no Python 3.11 or newer with venv and pip was found. Install one (Debian: apt-get install python3 python3-venv) and try again." >&2
    exit 2
}

make_env() {
    lock="requirements/$1.txt"
    stamp=".venv/greengauge-$1-$(cat "$lock" pyproject.toml | cksum | tr ' ' '-')"
    if [ -e "$stamp" ] && .venv/bin/python -c 'import greengauge' 2>/dev/null; then
        return
    fi
    python=$(find_python) || exit 2
    echo "greengauge: making .venv from $lock (first time only)" >&2
    if [ ! -x .venv/bin/python ]; then
        "$python" -m venv .venv
    fi
    if command -v uv >/dev/null 2>&1; then
        uv pip install --quiet --compile-bytecode --python .venv/bin/python --require-hashes -r "$lock"
        uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
    else
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
    fi
    # Once, here, rather than at the first start: Python's bytecode and the compiled kernels.
    .venv/bin/python -m compileall -q devices ingest scoring greengauge
    .venv/bin/python -m scoring.compiling devices/simulator/demo.toml
    touch "$stamp"
}
