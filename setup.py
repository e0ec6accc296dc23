"""Makes `SOURCE_DATE_EPOCH` fix the bytes of the source archive; setuptools does it for the wheel.

Everything else about the package is in pyproject.toml.
"""

import gzip
import os
import shutil
import tarfile
from pathlib import Path

from setuptools import setup
from setuptools.command.sdist import sdist


class ReproducibleSdist(sdist):
    """Repacks the source archive in sorted order, with one time and no owner."""

    def make_archive(self, *args, **kwargs):
        """Returns the archive's name, as setuptools expects."""
        archive = Path(super().make_archive(*args, **kwargs))
        epoch = os.environ.get("SOURCE_DATE_EPOCH")
        if epoch is not None:
            _repack(archive, int(epoch))
        return str(archive)


def _repack(archive, epoch):
    unpacked = archive.with_suffix(".tmp")
    with (
        tarfile.open(archive) as old,
        unpacked.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=epoch) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as new,
    ):
        for member in sorted(old.getmembers(), key=lambda member: member.name):
            plain = tarfile.TarInfo(member.name)
            plain.type, plain.size, plain.mtime = member.type, member.size, epoch
            plain.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            new.addfile(plain, old.extractfile(member) if member.isfile() else None)
    shutil.move(unpacked, archive)


setup(cmdclass={"sdist": ReproducibleSdist})
