#!/bin/sh
# Install mailguard for good: a self-contained environment at PREFIX that nothing has to write to any more.
#
#   container/install.sh SOURCE PREFIX
#
# SOURCE is a checkout, PREFIX must not exist yet. Every package is checked against its hash, and none is compiled
# here: where no ready-made wheel exists the installation fails instead of asking for a compiler. dkimpy comes as
# source only, and is Python through and through. PREFIX may be moved
# to another file system, but not to another path. The Dockerfile runs this, and .ci/run does in a clean environment.
set -eu

source=$1
prefix=$2
python=${PYTHON:-python3}

[ ! -e "$prefix" ] || { echo "$prefix exists already" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

ready_made="--only-binary :all: --no-binary dkimpy"

pip_install() {
    environment=$1
    shift
    "$environment/bin/python" -m pip --disable-pip-version-check --quiet install --no-cache-dir "$@"
}

echo "building the wheel"
"$python" -m venv "$work/build"
# shellcheck disable=SC2086  # several words
pip_install "$work/build" --require-hashes $ready_made --requirement "$source/requirements/dev.txt"
"$work/build/bin/python" -m build --wheel --no-isolation --outdir "$work/dist" "$source" >"$work/log" ||
    { cat "$work/log" >&2; exit 1; }

echo "installing into $prefix"
"$python" -m venv "$prefix"
# shellcheck disable=SC2086
pip_install "$prefix" --require-hashes $ready_made --requirement "$source/requirements/run.txt"
pip_install "$prefix" --no-index --no-deps "$work"/dist/mailguard-*.whl

# Who runs mailguard here installs nothing: no pip in the image, and bytecode ready, since the file system is read-only.
"$prefix/bin/python" -m pip --quiet --disable-pip-version-check uninstall --yes setuptools pip 2>"$work/log" ||
    { cat "$work/log" >&2; exit 1; }
"$prefix/bin/python" -m compileall -q "$prefix/lib"
chmod -R a+rX,go-w "$prefix"
