"""Recognises by-products of operating systems, network storage and browsers by their names.

They may contain pictures, but not ones of the user. The command and the readers of data sets skip
them.
"""

from __future__ import annotations

# All in lower case.
_FILES = frozenset(("thumbs.db", "ehthumbs.db", "desktop.ini", ".ds_store"))
_FILE_STARTS = (
    "._",  # macOS: metadata of a file on a disk that cannot store it otherwise
    ".igc-",  # this package: an output that is being written
)
_FILE_ENDS = (  # files that a browser or copy program is still writing
    *(".crdownload", ".download", ".filepart", ".opdownload", ".part", ".partial", ".tmp"),
)
_FOLDERS = frozenset(
    (
        *("__macosx", ".appledouble", ".trashes", ".fseventsd", ".spotlight-v100"),  # macOS
        *("$recycle.bin", "system volume information"),  # Windows
        *(".trash", ".thumbnails"),  # Linux
        *("@eadir", "#recycle", "#snapshot"),  # Synology
        *(".@__thumb", "@recycle", "@recently-snapshot"),  # QNAP
    )
)
_FOLDER_STARTS = (".trash-",)  # Linux, with the number of the user


def is_clutter_file(name: str) -> bool:
    """Returns whether a file name is that of a by-product or an unfinished copy."""
    name = name.lower()
    return name.endswith(_FILE_ENDS) or name.startswith(_FILE_STARTS) or name in _FILES


def is_clutter_folder(name: str) -> bool:
    """Returns whether a folder name is that of thumbnails, deleted files or other by-products."""
    name = name.lower()
    return name in _FOLDERS or name.startswith(_FOLDER_STARTS)
