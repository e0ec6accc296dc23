"""Recognises system junk (thumbnails, metadata, trash) and partial downloads by name.

Operating systems, network storage and browsers create such files and folders next to the user's
pictures. Data set readers skip them; so does the command, unless `--hidden` is given.
"""

from __future__ import annotations

# In lower case, as all names below.
_FILES = frozenset(("thumbs.db", "ehthumbs.db", "desktop.ini", ".ds_store"))
_FILE_STARTS = (
    "._",  # macOS: metadata of a file (AppleDouble)
    ".igc-",  # this package: partial output files
)
_FILE_ENDS = (  # unfinished downloads and copies
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
_FOLDER_STARTS = (".trash-",)  # Linux, followed by the user ID


def is_junk_file(name: str) -> bool:
    """Returns whether a file is system junk or a partial download, by its name.

    Args:
        name: File name without its folder, in upper or lower case.
    """
    name = name.lower()
    return name.endswith(_FILE_ENDS) or name.startswith(_FILE_STARTS) or name in _FILES


def is_junk_folder(name: str) -> bool:
    """Returns whether a folder contains thumbnails, metadata or trash, by its name.

    Args:
        name: Name of the folder without its parent, in upper or lower case.
    """
    name = name.lower()
    return name in _FOLDERS or name.startswith(_FOLDER_STARTS)
