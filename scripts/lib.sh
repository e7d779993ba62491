# Shared by the scripts: packages, the virtual environment, steps with their time. Sourced, never run.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$top/.venv

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

# need_packages PACKAGE…: what is missing is installed when root, else the exact line is printed.
need_packages() {
    local missing=() package
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    if [ "$(id -u)" -ne 0 ]; then
        fail "these packages are missing; install them and run this again:
    sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"
    fi
    say "Installing ${missing[*]}"
    # A package of a daemon must not start it here (invoke-rc.d asks policy-rc.d; 101 means "not allowed").
    local policy=/usr/sbin/policy-rc.d made=
    if [ ! -e $policy ]; then printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy && made=1; fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    [ -z "$made" ] || rm -f $policy
}

# unpack_package PACKAGE DIRECTORY: unpack a package that can not be installed beside another of the same files.
unpack_package() {
    [ -d "$2" ] && return 0
    say "Unpacking $1"
    local work
    work=$(mktemp -d)
    chmod 755 "$work"
    (cd "$work" && apt-get download -qq "$1" && dpkg-deb -x ./*.deb "$work/files")
    mkdir -p "$(dirname "$2")"
    mv "$work/files" "$2"
    rm -rf "$work"
}

# The distribution's interpreter, if it is 3.11 or later (it is the one that most users have, and built with profile-guided optimisation, which a
# version manager leaves out: 25% faster); else the newest at hand.
find_python() {
    local python
    for python in /usr/bin/python3 python3.13 python3.12 python3.11 python3; do
        command -v "$python" >/dev/null || continue
        "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$python"; return; }
    done
    fail "Python 3.11 or later with venv is needed (Debian 12, Ubuntu 24.04 or newer have it)"
}

# make_venv REQUIREMENTS…: .venv with these locked requirements and the project, built from this checkout.
make_venv() {
    [ -x "$venv/bin/python" ] || "$(find_python)" -m venv "$venv"
    local file
    for file in "$@"; do "$venv/bin/python" -m pip install -q --disable-pip-version-check -r "$top/$file"; done
    "$venv/bin/python" -m pip install -q --disable-pip-version-check --force-reinstall --no-deps "$top"
}

# qemu's user emulation for the tests of foreign platforms, in .venv/qemu. It is taken out of its package: installed, it would register itself
# with the machine's binfmt_misc.
fetch_qemu() {
    [ ! -x "$venv/qemu/qemu-aarch64-static" ] || return 0
    local work
    work=$(mktemp -d) && mkdir -p "$venv/qemu"
    (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download qemu-user-static >/dev/null && dpkg --fsys-tarfile ./*.deb) |
        tar -x -C "$venv/qemu" --strip-components=3 ./usr/bin/qemu-aarch64-static ||
        echo "qemu-user-static can not be had: the tests of foreign platforms will be skipped"
    rm -rf "$work"
}
