"""File systems with other rules for names: real ones where they can be mounted, and a double."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

_SIZE = 16 * 2**20  # bytes
# What each needs, how it is made on a device or file, and how it is mounted. Programs that write to
# a block device only get a loop device.
_KINDS = {
    "exfat": (("mkfs.exfat",), ("mount.exfat-fuse",), True),
    "ntfs": (("mkntfs", "-F", "-q", "-Q"), ("ntfs-3g", "-o", "windows_names"), False),
    "ntfs without case": (
        ("mkntfs", "-F", "-q", "-Q"),
        ("lowntfs-3g", "-o", "windows_names,ignore_case"),
        False,
    ),
}
KINDS = ("double", *_KINDS)
FOLDING = ("double", "exfat", "ntfs without case")

_FORBIDDEN = re.compile('[\x00-\x1f"*:<>?\\\\|\udc80-\udcff]|[ .]$')
_DEVICE = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")


@contextmanager
def mounted(kind: str, place: Path) -> Iterator[Path]:
    """Mounts a new file system at a folder; skips the test where that is impossible."""
    make, mount, wants_device = _KINDS[kind]
    if not (shutil.which(make[0]) and shutil.which(mount[0]) and os.geteuid() == 0):
        pytest.skip(f"{kind} cannot be mounted here")
    image = place.with_name("image")
    image.touch()
    os.truncate(image, _SIZE)
    disk = str(image)
    if wants_device:
        found = subprocess.run(
            ["losetup", "--find", "--show", disk], capture_output=True, text=True, check=False
        )
        if found.returncode != 0:
            pytest.skip("there is no loop device here")
        disk = found.stdout.strip()
    try:
        subprocess.run([*make, disk], check=True, capture_output=True)
        done = subprocess.run([*mount, disk, str(place)], check=False, capture_output=True)
        if done.returncode != 0 or not place.is_mount():
            pytest.skip(f"{kind} cannot be mounted here")
        try:
            yield place
        finally:
            subprocess.run(["umount", str(place)], check=True)
    finally:
        if wants_device:
            subprocess.run(["losetup", "--detach", disk], check=True)


def act_like_exfat(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    """Makes calls of this process treat a folder as exFAT, but with Unicode forms that are one.

    It refuses the names that Windows refuses, as NTFS does.
    """
    root = os.fspath(folder)

    def stored(path: Any) -> Any:
        """Finds the stored spelling of a path; raises for one that cannot be."""
        text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else path
        if not isinstance(text, str) or not text.startswith(f"{root}/"):
            return path
        found = root
        for name in text.removeprefix(f"{root}/").split("/"):
            if _FORBIDDEN.search(name) or _DEVICE.match(name):
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), text)
            same = [other for other in _listed(found) if _folded(other) == _folded(name)]
            found = f"{found}/{same[0] if same else name}"
        return found

    def wrapped(call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*paths: Any, **rest: Any) -> Any:
            return call(*(stored(path) for path in paths), **rest)

        return run

    for name in ("open", "replace", "rename", "unlink", "lstat", "stat", "mkdir"):
        patch.setattr(os, name, wrapped(getattr(os, name)))
    return folder


def _listed(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries]
    except OSError:
        return []


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())
