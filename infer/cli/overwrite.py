"""Finds the pictures and outputs that a run would overwrite, and refuses such a run."""

from __future__ import annotations

from pathlib import Path

from image_gender_classifier.errors import UsageError
from image_gender_classifier.listing import Listing
from image_gender_classifier.outputs.escaping import escape_text
from image_gender_classifier.outputs.naming import NameRules, collision_key
from image_gender_classifier.outputs.registry import Target


def refuse_overwriting(
    folder: Path, listing: Listing, targets: tuple[Target, ...], rules: NameRules
) -> None:
    """Refuses a run that would overwrite a picture or another output.

    Arguments as for `find_overwritten`.

    Raises:
        UsageError: A picture or an output would be overwritten.
    """
    lost = find_overwritten(folder, listing, targets, rules)
    if lost:
        path = min(lost)
        raise UsageError(f"{format_overwritten(path, lost[path])}; choose another output")


def format_overwritten(path: Path, files: list[str]) -> str:
    """Formats the beginning of a message about a path that would be overwritten.

    Args:
        path: A key of the dict that `find_overwritten` returns.
        files: Its value: the pictures whose output would overwrite the path.
    """
    names = ", ".join(repr(escape_text(file)) for file in files)
    return f"{path}: would be overwritten by {f'the output of {names}' if files else 'a table'}"


def find_overwritten(
    folder: Path, listing: Listing, targets: tuple[Target, ...], rules: NameRules
) -> dict[Path, list[str]]:
    """Finds the pictures and outputs that a run would overwrite.

    A picture can be named `a.xml`, because pictures are also recognised by their first bytes. Only
    pictures with the suffix of an output or the name of a table are checked, so that a folder of
    many pictures takes little time.

    Args:
        folder: The input folder.
        listing: The pictures in the folder.
        targets: The outputs.
        rules: The names that the output folders accept.

    Returns:
        A dict from each path that would be overwritten to the pictures (paths relative to the input
        folder) whose output would overwrite it; an empty list if only a table such as that of
        `--csv` would.
    """

    def identity(path: Path) -> str:
        return collision_key(str(path.resolve()), rules)

    files = [target.path for target in targets if target.is_file]
    tables = [*files, *_list_interrupted(files)]
    # The options check that the subfolders of an output are not in the input folder.
    folders = [t for t in targets if t.entry.kind == "folder" and not t.entry.in_subfolders]
    table_names = {path.name.lower() for path in tables}
    endings = (*(target.entry.suffix for target in folders), *table_names)
    at_risk = [file for file in listing.files if file.lower().endswith(endings)]
    if not at_risk and not tables:
        return {}
    names = table_names | {_lower_name(file) for file in at_risk}
    written: dict[str, list[str]] = {identity(path): [] for path in tables}
    lost: dict[Path, list[str]] = {}
    for picture in listing.pictures:
        for target in folders:
            file = target.output_path(picture)
            name, path = _lower_name(file), target.path / file
            # A new file overwrites no picture, but its name may be that of a table.
            if name not in names or not (name in table_names or path.exists()):
                continue
            key = identity(path)
            if key in written and not written[key]:
                lost[path] = [picture.file]
            written.setdefault(key, []).append(picture.file)
    for file in at_risk if written else ():
        path = folder / file
        if (key := identity(path)) in written:
            lost[path] = written[key]
    return lost


def _list_interrupted(files: list[Path]) -> list[Path]:
    """Returns the paths for the rows of an interrupted run."""
    if not files:
        return []
    from image_gender_classifier.outputs.table import interrupted_path  # few runs write tables

    return list(map(interrupted_path, files))


def _lower_name(path: str) -> str:
    """Returns the file name of a path, in lower case."""
    return path.rpartition("/")[2].lower()
