#!/bin/sh
# System packages that Python packages cannot bring: software OpenGL for the simulator, git, venv;
# with the argument `test` also the browser that reports are tested in.
# Installs what is missing when it can (Debian or Ubuntu, root); otherwise names the command.
set -eu

missing=""
need() { # need PACKAGE COMMAND...: the package is missing when the command fails
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}

python=${PYTHON:-python3}
need libosmesa6 "$python" -c 'import ctypes.util, sys; sys.exit(not ctypes.util.find_library("OSMesa"))'
need git git --version
need python3-venv "$python" -c 'import ensurepip, venv'
if [ "${1:-}" = test ]; then
    need chromium-driver sh -c 'command -v chromium && command -v chromedriver'
fi

[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing system packages:$missing"
    apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
    echo "These system packages are missing:$missing" >&2
    echo "Install them (on Debian or Ubuntu: sudo apt-get install$missing) and run make again." >&2
    exit 1
fi
