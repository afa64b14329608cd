#! /bin/sh
# Makes "configure" and "Makefile.in" from their sources.  Needs autoconf and
# automake (Debian packages of those names).

cd "$(dirname "$0")" || exit 1
for tool in autoreconf automake; do
    if ! command -v $tool >/dev/null 2>&1; then
        echo "boot.sh: $tool is missing: apt-get install autoconf automake" >&2
        exit 1
    fi
done
exec autoreconf --install --force
