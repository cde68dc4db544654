#!/bin/sh
# Sees to it that what hyperhive needs of the system is there: as root on Debian it installs it, else it says how to.
# Arguments: more commands that are needed, each in a package of its name.
set -eu
missing=
for name in "$@"; do
  command -v "$name" >/dev/null 2>&1 || missing="$missing $name"
done
command -v bwrap >/dev/null 2>&1 || missing="$missing bubblewrap"
command -v git >/dev/null 2>&1 || missing="$missing git"
command -v nsenter >/dev/null 2>&1 && command -v setpriv >/dev/null 2>&1 && command -v prlimit >/dev/null 2>&1 || missing="$missing util-linux"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "installing$missing" >&2
  apt-get update -qq >&2
  # shellcheck disable=SC2086 # a list of packages
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >&2
  exit 0
fi
echo "hyperhive needs:$missing. Install it with: sudo apt-get install --no-install-recommends$missing" >&2
exit 1
