"""The Pillow plugin of each format; imported when the first picture needs it."""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

from image_gender_classifier.errors import DecoderMissing
from image_gender_classifier.imaging import formats
from image_gender_classifier.imaging.formats import Format


class Plugin(NamedTuple):
    """The Pillow plugin that reads a format.

    Attributes:
        module: Name of the module.
        name: Name of the module's ImageFile subclass.
        feature: Name for `PIL.features.check` of the library that the plugin needs; None if it
            needs none.
        memory_factor: See `Header`.
    """

    module: str
    name: str
    feature: str | None = None
    memory_factor: int = 1


PLUGINS = {
    formats.AVIF: Plugin("PIL.AvifImagePlugin", "AvifImageFile", "avif"),
    formats.BMP: Plugin("PIL.BmpImagePlugin", "BmpImageFile"),
    formats.GIF: Plugin("PIL.GifImagePlugin", "GifImageFile"),
    formats.HEIC: Plugin("pillow_heif", "HeifImageFile"),
    formats.ICO: Plugin("PIL.IcoImagePlugin", "IcoImageFile"),
    formats.JPEG_2000: Plugin("PIL.Jpeg2KImagePlugin", "Jpeg2KImageFile", "jpg_2000", 2),
    formats.PCX: Plugin("PIL.PcxImagePlugin", "PcxImageFile"),
    formats.PNG: Plugin("PIL.PngImagePlugin", "PngImageFile", "zlib"),
    formats.PSD: Plugin("PIL.PsdImagePlugin", "PsdImageFile"),
    formats.SGI: Plugin("PIL.SgiImagePlugin", "SgiImageFile"),
    formats.TGA: Plugin("PIL.TgaImagePlugin", "TgaImageFile"),
    formats.TIFF: Plugin("PIL.TiffImagePlugin", "TiffImageFile", "libtiff"),
}


def load_plugin(kind: Format) -> Any:
    """Imports the Pillow plugin of a format and returns its ImageFile subclass.

    Args:
        kind: A format that Pillow decodes.

    Raises:
        KeyError: The format is not in `PLUGINS`.
        DecoderMissing: Pillow or pillow-heif is missing, broken or too old, or Pillow was built
            without the library for the format.
    """
    plugin = PLUGINS[kind]
    try:
        module = import_module(plugin.module)
        features = import_module("PIL.features")
    except ImportError as error:
        raise DecoderMissing(_format_missing_package(kind, error)) from None
    if plugin.feature is not None and not features.check(plugin.feature):
        raise DecoderMissing(_format_missing_package(kind, None))
    return getattr(module, plugin.name)


def _format_missing_package(kind: Format, error: ImportError | None) -> str:
    """Returns the message for a missing, broken or too old package.

    Args:
        kind: The format.
        error: Error of the import; None if Pillow is built without the library for the format.
    """
    package, wanted = "Pillow", "--upgrade pillow"
    name = getattr(error, "name", None) or ""
    if kind is formats.HEIC and not name.startswith("PIL"):
        package, wanted = "pillow-heif (the extra heif)", "pillow-heif"
    if kind is formats.AVIF:
        package = "Pillow 11.3 or newer"
    why = "which is not installed"
    if error is None or name.startswith("PIL."):
        why = "but the installed one lacks it"
    elif not isinstance(error, ModuleNotFoundError):
        why = f"which cannot be loaded ({error})"
    # Without the path of this Python, because the message is part of the XML file.
    command = f"python -m pip install {wanted}"
    return f"{kind.name} needs {package}, {why}; run: {command}, or convert the file to JPEG"
