#!/bin/sh
# System packages that Python packages cannot bring: software OpenGL for the simulator, git, venv;
# with the argument `test` also the browser that reports are tested in, and LaTeX that compiles a paper with our
# numbers (39 MB to fetch, 124 MB); with `stories` the browser, and other processors, emulated;
# with `slurm` also that scheduler, with `services` the database of a group's MLflow server.
# Installs what is missing when it can (Debian or Ubuntu, root); otherwise names the command.
set -eu

python=${PYTHON:-python3}
missing=""
need() { # need PACKAGE COMMAND...: the package is missing when the command fails
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}
library() {
    "$python" -c "import ctypes.util, sys; sys.exit(not ctypes.util.find_library('$1'))"
}

need git git --version
need python3-venv "$python" -c 'import ensurepip, venv'
if [ "${1:-}" = test ] || [ "${1:-}" = stories ]; then
    need chromium-driver sh -c 'command -v chromium && command -v chromedriver'
fi
if [ "${1:-}" = test ]; then
    need texlive-latex-base sh -c 'command -v pdflatex'
fi
if [ "${1:-}" = stories ]; then
    need qemu-user sh -c 'command -v qemu-x86_64'
fi
if [ "${1:-}" = slurm ]; then
    PATH=$PATH:/usr/sbin
    need slurmctld sh -c 'command -v slurmctld'
    need slurmd sh -c 'command -v slurmd'
    need munge sh -c 'command -v munged'
    need slurm-client sh -c 'command -v sbatch'
fi
if [ "${1:-}" = services ]; then
    need postgresql sh -c 'ls /usr/lib/postgresql/*/bin/initdb'
fi
opengl=""
library OSMesa || library EGL || opengl=libosmesa6
[ -z "$missing$opengl" ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    # Newer distributions have dropped OSMesa; EGL renders in software too.
    if [ -n "$opengl" ] && ! apt-cache show libosmesa6 >/dev/null 2>&1; then
        opengl="libegl1 libegl-mesa0 libgl1-mesa-dri"
    fi
    echo "Installing system packages:$missing $opengl"
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing $opengl >/dev/null
else
    echo "These system packages are missing:$missing $opengl" >&2
    echo "Install them (on Debian or Ubuntu: sudo apt-get install$missing $opengl) and run make again." >&2
    exit 1
fi
