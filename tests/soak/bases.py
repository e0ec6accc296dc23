"""Small intact pictures of every format and kind, the originals of damaged ones."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from PIL import Image

_SIZE = (64, 48)
_EXTENSIONS = {
    "JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "GIF": ".gif", "TIFF": ".tif", "BMP": ".bmp",
    "AVIF": ".avif", "HEIF": ".heic", "ICO": ".ico", "JPEG2000": ".jp2", "PCX": ".pcx",
    "PPM": ".ppm", "SGI": ".sgi", "TGA": ".tga",
}  # fmt: skip
_KINDS: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("JPEG", "RGB", {}),
    ("JPEG", "RGB", {"progressive": True}),
    ("JPEG", "RGB", {"restart_marker_blocks": 2, "subsampling": 2}),
    ("JPEG", "L", {}),
    ("JPEG", "CMYK", {}),
    ("PNG", "RGB", {}),
    ("PNG", "RGBA", {}),
    ("PNG", "L", {}),
    ("PNG", "P", {"transparency": 3}),
    ("PNG", "1", {}),
    ("PNG", "I;16", {}),
    ("PNG", "RGB", {"frames": 3}),
    ("WEBP", "RGB", {}),
    ("WEBP", "RGB", {"lossless": True}),
    ("WEBP", "RGBA", {}),
    ("WEBP", "RGB", {"frames": 3}),
    ("GIF", "P", {}),
    ("GIF", "P", {"transparency": 0, "frames": 3}),
    ("TIFF", "RGB", {}),
    ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    ("TIFF", "RGBA", {"compression": "tiff_adobe_deflate"}),
    ("TIFF", "RGB", {"compression": "jpeg"}),
    ("TIFF", "1", {"compression": "group4"}),
    ("TIFF", "L", {"compression": "packbits"}),
    ("TIFF", "F", {}),
    ("TIFF", "RGB", {"big_tiff": True}),
    ("BMP", "RGB", {}),
    ("BMP", "P", {}),
    ("BMP", "1", {}),
    ("BMP", "RGBA", {}),
    ("TIFF", "RGB", {"tiffinfo": {322: 16, 323: 16}, "compression": "tiff_adobe_deflate"}),
    ("AVIF", "RGB", {}),
    ("AVIF", "RGBA", {"subsampling": "4:4:4"}),
    ("HEIF", "RGB", {}),
    ("HEIF", "RGBA", {}),
    ("ICO", "RGBA", {"sizes": [(48, 48), (16, 16)]}),
    ("ICO", "RGB", {"sizes": [(48, 48), (16, 16)], "bitmap_format": "bmp"}),
    ("JPEG2000", "RGB", {}),
    ("JPEG2000", "RGBA", {"irreversible": True, "tile_size": (32, 32)}),
    ("JPEG2000", "I;16", {"no_jp2": True}),
    ("PCX", "P", {}),
    ("PPM", "RGB", {}),
    ("PPM", "RGB", {"plain": True}),
    ("BMP", "P", {"run_length": True}),
    ("SGI", "RGB", {}),
    ("TGA", "RGBA", {"compression": "tga_rle"}),
)


@dataclass(frozen=True, slots=True)
class Base:
    """An intact picture.

    Attributes:
        form: Pillow's name of its format.
        extension: Extension of its file name.
        data: Its bytes.
    """

    form: str
    extension: str
    data: bytes


def bases() -> list[Base]:
    """Makes all originals, the same in every run."""
    return list(_made())


def _made() -> Iterator[Base]:
    Image.init()
    with suppress(ImportError):  # without it, no HEIC is made
        import pillow_heif

        pillow_heif.register_heif_opener()
    colours = Image.merge(
        "RGB",
        [
            Image.linear_gradient("L").resize(_SIZE),
            Image.radial_gradient("L").resize(_SIZE),
            Image.linear_gradient("L").rotate(90).resize(_SIZE),
        ],
    )
    for form, mode, given in _KINDS:
        if form not in Image.SAVE:
            continue
        options = dict(given)
        picture = colours.convert("I").convert(mode) if mode == "I;16" else colours.convert(mode)
        if options.pop("frames", 1) != 1:
            options |= {"save_all": True, "append_images": [picture.rotate(90), picture]}
        if form in ("JPEG", "PNG", "WEBP"):
            exif = Image.Exif()
            exif[274] = 6
            options["exif"] = exif
        by_hand = _BY_HAND[next(iter(options))] if options.keys() & _BY_HAND.keys() else None
        file = io.BytesIO()
        if by_hand is None:
            picture.save(file, form, **options)
        yield Base(form, _EXTENSIONS[form], by_hand(picture) if by_hand else file.getvalue())


def _plain_ppm(picture: Image.Image) -> bytes:
    numbers = " ".join(map(str, picture.tobytes()))
    return f"P3 # plain\n{picture.width} {picture.height} 255\n{numbers}\n".encode()


def _run_length_bmp(picture: Image.Image) -> bytes:
    width, height = picture.size
    indices = picture.tobytes()
    runs = b"".join(
        b"".join(bytes((1, index)) for index in indices[row * width : (row + 1) * width]) + b"\0\0"
        for row in reversed(range(height))
    )
    file = io.BytesIO()
    picture.save(file, "BMP")
    data = bytearray(file.getvalue())
    struct.pack_into("<II", data, 30, 1, len(runs) + 2)  # compression and size
    (start,) = struct.unpack_from("<I", data, 10)
    return bytes(data[:start]) + runs + b"\0\1"


# What Pillow does not write.
_BY_HAND = {"plain": _plain_ppm, "run_length": _run_length_bmp}
