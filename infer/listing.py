"""The pictures of a folder as records, which name their output files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Literal, NamedTuple

from image_gender_classifier.outputs.naming import (
    LINUX_RULES,
    NameRules,
    PictureFile,
    find_name_levels,
    make_xml_name,
)


class PictureFolder(NamedTuple):
    """A folder with pictures. Stores only their file names, which needs little memory.

    Attributes:
        path: Path relative to the input folder, with `/`; empty for the input folder itself.
        names: File names of the pictures, sorted by their bytes.
        output: Path of the output subfolder, relative to the output folder; None if it is `path`.
        rules: The rules of the output folder for names.
        taken: Names that no XML file in the output subfolder may get, as `collision_key` returns
            them.
        named_in_full: Whether an output needs `PictureFile.full`.
    """

    path: str
    names: tuple[str, ...]
    output: str | None = None
    rules: NameRules = LINUX_RULES
    taken: frozenset[str] = frozenset()
    named_in_full: bool = False

    @property
    def output_path(self) -> str:
        """Path of the output subfolder, relative to the output folder."""
        return self.path if self.output is None else self.output

    @property
    def files(self) -> Iterator[str]:
        """Paths of the pictures, relative to the input folder, in the order of `names`."""
        return (join_path(self.path, name) for name in self.names)

    @property
    def pictures(self) -> Iterator[PictureFile]:
        """The pictures with the paths of their XML files, in the order of `names`."""
        levels = find_name_levels(self.names, self.rules, self.taken)
        usual = (
            levels if self.rules == LINUX_RULES else find_name_levels(self.names, taken=self.taken)
        )
        for name, full in zip(self.names, self._full_names(), strict=False):
            xml = make_xml_name(name, levels.get(name, 0), self.rules)
            renamed = self.output_path != self.path or (
                self.rules != LINUX_RULES and xml != make_xml_name(name, usual.get(name, 0))
            )
            yield PictureFile(
                join_path(self.path, name), join_path(self.output_path, xml), renamed, full
            )

    def _full_names(self) -> Iterable[str]:
        if not self.named_in_full:
            return repeat("")
        from image_gender_classifier.outputs.full_names import make_full_names  # rarely needed

        names = make_full_names(self.names, self.rules)
        return (join_path(self.output_path, name) for name in names)


class Unread(NamedTuple):
    """A subfolder that cannot be read completely, or a file that may be a picture.

    Attributes:
        path: Path relative to the input folder.
        reason: Error message of the operating system, such as `Permission denied`.
        kind: Whether it is a folder or a file.
    """

    path: str
    reason: str
    kind: Literal["folder", "file"] = "folder"


class Listing(NamedTuple):
    """The pictures of a folder and its subfolders.

    Attributes:
        folders: The folders that contain pictures, in depth-first order; siblings are sorted by
            the bytes of their names.
        ignored: Number of other files, including system junk files and partial downloads.
        unread: The subfolders that cannot be read completely, and the files without a known
            extension that cannot be read; these count as other files, too.
        broken_links: Paths, relative to the input folder, of symbolic links with a known extension
            that lead nowhere; they count as other files, too.
        folder_links: Likewise, of symbolic links to folders, if subfolders are included.
    """

    folders: tuple[PictureFolder, ...]
    ignored: int
    unread: tuple[Unread, ...] = ()
    broken_links: tuple[str, ...] = ()
    folder_links: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Total number of pictures."""
        return sum(len(folder.names) for folder in self.folders)

    @property
    def files(self) -> Iterator[str]:
        """Paths of the pictures, relative to the input folder, in the order of `folders`."""
        return (file for folder in self.folders for file in folder.files)

    @property
    def pictures(self) -> Iterator[PictureFile]:
        """The pictures with the paths of their XML files, in the order of `files`."""
        return (picture for folder in self.folders for picture in folder.pictures)


def join_path(parent: str, name: str) -> str:
    """Joins a relative path and a name: `parent/name`, or `name` if `parent` is empty."""
    return f"{parent}/{name}" if parent else name
