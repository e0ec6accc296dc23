"""The script `install.sh` of a bundle."""

from __future__ import annotations

from bundle.systems import System

_HEAD = """\
#!/bin/sh
# Installs image-gender-classifier from the files beside this script: sh install.sh [FOLDER]
# FOLDER (default: ~/igc) is a new folder; the command is FOLDER/bin/image-gender-classifier.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
case "${1:-}" in -*) echo "usage: sh install.sh [FOLDER] (default: ~/igc)" >&2; exit 2 ;; esac
folder=${1:-"$HOME/igc"}
if [ -e "$folder" ] && [ ! -d "$folder" ]; then
  echo "$folder is not a folder; give a folder to install into" >&2
  exit 2
fi
"""
# Checked first, to install nothing if the wheels do not fit. The pointer size tells 32-bit systems
# with a 64-bit kernel apart.
_CHECK = """\
has=$(python3 -c 'import platform, struct, sys
print("%d.%d" % sys.version_info[:2], platform.machine()[0], 8 * struct.calcsize("P"))')
if [ "$has" != "{wanted}" ]; then
  echo "this bundle is for {system}, not for this system; make one with another SYSTEM of" >&2
  echo "make pi-bundle (wanted: {wanted}; here: $has)" >&2
  exit 2
fi
"""
# apt gets temporary package lists, so the board's own stay unchanged.
_PACKAGES = """\
lists=$(mktemp -d)
mkdir "$lists/partial"
echo "deb [trusted=yes] file:$here/packages ./" > "$lists/bundle.list"
from_bundle() {{
  sudo apt-get -o Dir::Etc::SourceList="$lists/bundle.list" -o Dir::Etc::SourceParts=/dev/null \\
    -o Dir::State::Lists="$lists" -o APT::Sandbox::User=root "$@"
}}
from_bundle -qq update
from_bundle -qq --yes --no-install-recommends install {packages}
sudo rm -r "$lists"
"""
# pip runs from its wheel, because python3-venv may be missing.
_WHEELS = """\
python3 -m venv --without-pip {options}"$folder"
set -- "$here"/pip-*.whl
"$folder/bin/python" "$1/pip" --disable-pip-version-check install --quiet \\
  --no-index --no-deps "$here"/wheels/*.whl
"$folder/bin/python" -c 'import image_gender_classifier; image_gender_classifier.load()' || {{
  echo "the installed files do not work: copy the bundle again, and remove $folder" >&2
  exit 1
}}
echo "installed: $folder/bin/image-gender-classifier -i PICTURES -o EXISTING_FOLDER"
"""


def install_script(system: System) -> str:
    """Returns the script for a system."""
    bits = 32 if system.machine == "armv7l" else 64
    wanted = f"{system.python} {system.machine[0]} {bits}"
    packages = _PACKAGES.format(packages=" ".join(system.packages)) if system.packages else ""
    options = "--system-site-packages " if system.packages else ""
    check = _CHECK.format(system=system.name, wanted=wanted)
    return _HEAD + check + packages + _WHEELS.format(options=options)
