"""Pastes square patches into pictures: rotated, with outlines of many kinds."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from image_gender_classifier.imaging.pixels import Pixels

Mask = npt.NDArray[np.float32]
"""Opacity of each pixel, 0 to 1, H x W."""

_Random = np.random.Generator
_CONTINUED = 0.4  # fraction of patches that extend beyond their square
_BEYOND = 0.35  # width of the extension on each side, over the patch's side


def paste(
    pixels: Pixels,
    patch: Pixels,
    mask: Mask | None,
    side: float,
    centre: tuple[float, float],
    random: _Random,
) -> None:
    """Pastes a square patch into a picture, rotated by a random angle, in place.

    Args:
        pixels: The picture, uint8 RGB, H x W x 3.
        patch: The patch, uint8 RGB, S x S x 3.
        mask: Its opacity, S x S; None for a random outline.
        side: Side of the patch in the picture, in pixels.
        centre: Its centre, x and y, in pixels.
        random: The random generator.
    """
    if mask is None and random.random() < _CONTINUED:
        border = round(_BEYOND * len(patch))
        side *= 1 + 2 * border / len(patch)
        patch = cast(
            Pixels, cv2.copyMakeBorder(patch, border, border, border, border, sample_edge(random))
        )
        mask = _fading(len(patch), random)
    elif mask is None:
        mask = _outline(len(patch), random)
    matrix = make_placing_matrix(len(patch), side, centre, sample_angle(random))
    _blend_placed(pixels, patch, mask, matrix, side, centre)


def blend(pixels: Pixels, other: npt.NDArray[np.uint8], opacity: Mask) -> None:
    """Blends other pixels over those of a picture, in place.

    Args:
        pixels: The picture, uint8 RGB, H x W x 3; may be a part of another.
        other: What covers it, uint8 RGB, H x W x 3.
        opacity: H x W.
    """
    over = opacity[..., np.newaxis] * (other.astype(np.float32) - pixels)
    pixels[:] = (pixels + over + 0.5).astype(np.uint8)


def make_placing_matrix(
    stored: int, side: float, centre: tuple[float, float], degrees: float
) -> npt.NDArray[np.float64]:
    """Returns the affine matrix (2 x 3) that maps a stored square to its place, rotated.

    Args:
        stored: Side of the square as stored, in pixels.
        side: Side in the picture, in pixels.
        centre: Its centre in the picture, x and y, in pixels.
        degrees: The rotation.
    """
    zoom, angle = side / stored, np.radians(degrees)
    cos, sin = zoom * np.cos(angle), zoom * np.sin(angle)
    linear = np.array([[cos, sin], [-sin, cos]])
    middle = (stored - 1) / 2
    offset = np.array(centre) - 0.5 - linear @ (middle, middle)
    return np.column_stack([linear, offset])


def sample_angle(random: _Random) -> float:
    """Samples the in-plane rotation of a head in degrees."""
    return random.normal(0, 10) if random.random() < 0.6 else random.uniform(-45, 45)


def sample_edge(random: _Random, mirrored: bool = True) -> int:
    """Samples OpenCV's border mode for extending a crop."""
    if mirrored and random.random() < 0.5:
        return cv2.BORDER_REFLECT_101
    return cv2.BORDER_REPLICATE


def _blend_placed(
    pixels: Pixels,
    patch: Pixels,
    mask: Mask,
    matrix: npt.NDArray[np.float64],
    side: float,
    centre: tuple[float, float],
) -> None:
    """Blends a patch into the pixels that it covers, in place."""
    reach = side * 0.75  # a square rotated by 45 degrees extends 0.71 of its side
    left, top = (max(int(middle - reach), 0) for middle in centre)
    right, bottom = (int(middle + reach) + 2 for middle in centre)
    part = pixels[top:bottom, left:right]
    shifted = matrix - np.array([[0, 0, left], [0, 0, top]])
    size = part.shape[1::-1]
    laid = cv2.warpAffine(patch, shifted, size, borderMode=cv2.BORDER_REPLICATE)
    blend(part, cast(Pixels, laid), cast(Mask, cv2.warpAffine(mask, shifted, size)))


def _outline(side: int, random: _Random) -> Mask:
    """Generates the mask of a patch: an oval around the head, or nearly the whole square."""
    if random.random() < 0.75:
        axes = side * np.array([random.uniform(0.3, 0.46), random.uniform(0.4, 0.52)])
        mask = _oval(side, axes, random.uniform(2, 4), random)
    else:
        mask = np.zeros((side, side), np.float32)
        left, top, right, bottom = (random.uniform(0.02, 0.12, 4) * side).astype(int)
        mask[top : side - bottom, left : side - right] = 1
    if random.random() < 0.9:
        softness = side * random.uniform(0.008, 0.05)
        mask = cast(Mask, cv2.GaussianBlur(mask, (0, 0), softness))
    return mask


def _fading(side: int, random: _Random) -> Mask:
    """Generates the mask of an extended patch, which fades out slowly."""
    mask = _oval(side, side * random.uniform(0.28, 0.46, 2), random.uniform(2, 6), random)
    return cast(Mask, cv2.GaussianBlur(mask, (0, 0), side * random.uniform(0.02, 0.08)))


def _oval(side: int, axes: npt.NDArray[np.float64], power: float, random: _Random) -> Mask:
    """Generates the mask of a superellipse around the middle of a square."""
    centre = side * (0.5 + random.normal(0, 0.015, 2))
    places = np.arange(side, dtype=np.float32)
    across = (np.abs(places - centre[0]) / axes[0]) ** power
    down = (np.abs(places - centre[1]) / axes[1]) ** power
    mask: Mask = (across[None, :] + down[:, None] < 1).astype(np.float32)
    return mask
