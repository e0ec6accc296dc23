"""The picture formats: names, file extensions, decoders, and detection by signature (magic bytes).

OpenCV decodes JPEG, PNG and WebP, NumPy decodes PNM, and Pillow decodes the other formats.
Unsupported formats are listed too, so that their files are reported and not ignored.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.imaging.tiff_tags import read_tags


class Format(NamedTuple):
    """A picture format.

    Attributes:
        name: Name in messages.
        extensions: File extensions with the dot, in lower case.
        decoder: The library that decodes the format; None if it is not supported.
    """

    name: str
    extensions: tuple[str, ...]
    decoder: Literal["opencv", "pillow", "numpy"] | None = "pillow"


JPEG = Format("JPEG", (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"), "opencv")
PNG = Format("PNG", (".png", ".apng"), "opencv")
WEBP = Format("WebP", (".webp",), "opencv")
AVIF = Format("AVIF", (".avif", ".avifs"))
BMP = Format("BMP", (".bmp", ".dib"))
GIF = Format("GIF", (".gif",))
HEIC = Format("HEIC", (".heic", ".heif", ".hif", ".heics", ".heifs"))
ICO = Format("ICO", (".ico",))
JPEG_2000 = Format("JPEG 2000", (".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"))
PCX = Format("PCX", (".pcx",))
PNM = Format("PNM", (".pbm", ".pgm", ".ppm", ".pnm"), "numpy")
PSD = Format("PSD", (".psd",))
SGI = Format("SGI", (".sgi",))
TGA = Format("TGA", (".tga",))
TIFF = Format("TIFF", (".tif", ".tiff"))
CAMERA_RAW = Format(
    "camera raw",
    (
        *(".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".iiq", ".kdc", ".mrw"),
        *(".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f"),
    ),
    None,
)
JPEG_XL = Format("JPEG XL", (".jxl",), None)
PDF = Format("PDF", (".pdf",), None)

FORMATS = (
    *(JPEG, PNG, WEBP, AVIF, BMP, GIF, HEIC, ICO, JPEG_2000, PCX, PNM, PSD, SGI, TGA, TIFF),
    *(CAMERA_RAW, JPEG_XL, PDF),
)
EXTENSIONS = frozenset(extension for kind in FORMATS for extension in kind.extensions)
"""File extensions of all formats, including unsupported ones; with the dot, in lower case."""

SNIFFED_BYTES = 64
"""The number of bytes that `sniff` needs."""

_NO_PICTURE = "not a picture of a supported format; convert it to JPEG or PNG"
_VIDEO = "not a picture but a video; save one of its frames as JPEG"

_SIGNATURES = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    *((magic, TIFF) for magic in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),  # with +: BigTIFF
    *((magic, GIF) for magic in (b"GIF87a", b"GIF89a")),
    *((magic, JPEG_2000) for magic in (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")),
    (b"8BPS\0\1", PSD),
    *((magic, JPEG_XL) for magic in (b"\0\0\0\x0cJXL \r\n\x87\n", b"\xff\x0a")),
    (b"%PDF-", PDF),
    # Canon, Fujifilm, Olympus, Panasonic, Minolta and Sigma; others are kinds of TIFF.
    *((magic, CAMERA_RAW) for magic in (b"II\x1a\0\0\0HEAPCCDR", b"FUJIFILMCCD-RAW", b"IIRO")),
    *((magic, CAMERA_RAW) for magic in (b"IIRS", b"MMOR", b"IIU\0", b"\0MRM", b"FOVb")),
)
_BMP_HEADER_SIZES = frozenset((12, 16, 40, 52, 56, 64, 108, 124))
_PNM_MAGICS = (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6")
_PNM_NEXT = b"0123456789#"
_PCX_VERSIONS = (b"\0", b"\2", b"\3", b"\4", b"\5")
_PCX_BITS = (b"\1\1", b"\1\2", b"\1\4", b"\1\x08")
_SGI_KINDS = [bytes((a, b, 0, c)) for a in (0, 1) for b in (1, 2) for c in (1, 2, 3)]
_TGA_HEADER = 18  # bytes
_AVIF_BRANDS = frozenset((b"avif", b"avis"))
_HEIF_BRANDS = frozenset(
    (
        *(b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"),
        *(b"mif1", b"mif2", b"msf1"),
    )
)

_SUBFILE, _PHOTOMETRIC, _SUB_IFDS, _DNG_VERSION = 254, 262, 330, 50706
_SENSOR_SAMPLES = (32803, 34892)  # colour filter array, linear raw


def sniff(first_bytes: bytes) -> Format | None:
    """Detects the format of a file by its signature (magic bytes) or header fields.

    Returns None if the format is not known; some known formats, such as PDF, cannot be decoded.
    Returns `TIFF` for most camera raw files; `require_format` distinguishes them by their tags.

    Args:
        first_bytes: The first `SNIFFED_BYTES` of the file, or all of a shorter one.
    """
    for magic, kind in _SIGNATURES:
        if first_bytes.startswith(magic):
            return kind
    if first_bytes[:4] == b"RIFF" and first_bytes[8:12] == b"WEBP":
        return WEBP
    if first_bytes[4:8] == b"ftyp":
        return _detect_by_brand(first_bytes)
    return _detect_by_fields(first_bytes)


def require_format(data: bytes) -> Format:
    """Detects the format of a picture file; rejects formats that cannot be decoded.

    Args:
        data: The whole file, or its beginning; at least `SNIFFED_BYTES` of a longer file.

    Returns:
        A format whose `decoder` is not None.

    Raises:
        UnreadablePicture: The file is not a picture, or its format is not supported.
    """
    kind = sniff(data)
    if kind is None:
        raise UnreadablePicture(_VIDEO if data[4:8] == b"ftyp" else _NO_PICTURE)
    if kind is TIFF and _is_camera_raw(data):
        kind = CAMERA_RAW
    if kind.decoder is None:
        raise UnreadablePicture(f"{kind.name} files are not supported; convert the file to JPEG")
    return kind


def _detect_by_fields(first_bytes: bytes) -> Format | None:
    """Detects BMP, ICO, PNM, PCX, SGI and TGA; None for other files.

    Their signatures are short or missing, so other fields of the header are compared too, to avoid
    false matches.
    """
    magic = first_bytes[:2]
    if magic == b"BM" and int.from_bytes(first_bytes[14:18], "little") in _BMP_HEADER_SIZES:
        return BMP
    # The number of pictures is not 0; the field bReserved of the first picture's entry is 0.
    if first_bytes[:4] == b"\0\0\1\0" and any(first_bytes[4:6]) and first_bytes[9:10] == b"\0":
        return ICO
    if magic in _PNM_MAGICS and first_bytes[2:3].isspace() and first_bytes[3:4] in _PNM_NEXT:
        return PNM
    # Version, run-length encoding, bits per sample.
    if magic[:1] == b"\n" and magic[1:] in _PCX_VERSIONS and first_bytes[2:4] in _PCX_BITS:
        return PCX
    # Storage, bytes per sample, number of dimensions.
    if magic == b"\1\xda" and first_bytes[2:6] in _SGI_KINDS:
        return SGI
    return TGA if _is_targa(first_bytes) else None


def _is_targa(first_bytes: bytes) -> bool:
    """Returns whether a file starts with a TGA header.

    The header has no signature, so all fields are checked.
    """
    if len(first_bytes) < _TGA_HEADER or not any(first_bytes[12:14]) or not any(first_bytes[14:16]):
        return False
    has_palette, content, palette = first_bytes[1], first_bytes[2] & ~8, first_bytes[3:8]
    bits, flags = first_bytes[16], first_bytes[17]
    if content == 1:  # the bit 8, dropped above, means run-length encoding
        fits = has_palette == 1 and palette[4] in (15, 16, 24, 32) and bits in (8, 16)
    else:
        of_content = {2: (15, 16, 24, 32), 3: (8, 16)}
        fits = not any((has_palette, *palette)) and bits in of_content.get(content, ())
    return fits and flags & 0xC0 == 0


def _detect_by_brand(first_bytes: bytes) -> Format | None:
    """Detects the format of an ISO base media file by its brands; None for a video."""
    end = min(int.from_bytes(first_bytes[:4], "big"), SNIFFED_BYTES)
    brands = {first_bytes[at : at + 4] for at in (8, *range(16, end, 4))}
    if first_bytes[8:12] == b"crx ":  # Canon
        return CAMERA_RAW
    if brands & _AVIF_BRANDS:
        return AVIF
    return HEIC if brands & _HEIF_BRANDS else None


def _is_camera_raw(data: bytes) -> bool:
    """Returns whether a TIFF is a camera raw file, such as CR2 or DNG.

    The first page of such a file is a small preview, or the unprocessed data of the sensor.
    """
    if data[8:12] == b"CR\2\0":  # Canon
        return True
    tags = read_tags(data, (_SUBFILE, _PHOTOMETRIC, _SUB_IFDS, _DNG_VERSION))
    is_preview = tags.get(_SUBFILE, 0) & 1 == 1 and _SUB_IFDS in tags
    return is_preview or _DNG_VERSION in tags or tags.get(_PHOTOMETRIC) in _SENSOR_SAMPLES
