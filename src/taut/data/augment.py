"""Augmentation: training images turned, moved, mirrored and made noisy, anew in each epoch.

A picture of a seven is still a seven when it leans a little. Showing such variants is like having more data, but only
variants that occur in reality help: a road sign is never mirrored. So each is switched on by name. It is for training
rows only. Floor 1 of the house: knows nothing of networks.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import prod
from typing import Any

import numpy as np

from taut.checks import check_choice, check_number
from taut.errors import DataError, InvalidValue
from taut.random import Random

__all__ = ["Augmentation"]

_FLIPS = ("horizontal", "vertical", "both")
_DRAWS = 8  # numbers set aside for each image; five are used: angle, two shifts, two flips
_GEOMETRY, _NOISE = 0, 1  # items of the random numbers


@dataclass(frozen=True)
class Augmentation:
    """What may happen to a training image.

    Parameters
    ----------
    shape : tuple of int, default (28, 28)
        Height and width of an image, and channels if there are several; a row of the table is one image.
    rotate : float, default 0
        Turn by at most so many degrees either way.
    shift : int, default 0
        Move by at most so many whole pixels in each direction, as cropping elsewhere would.
    flip : {None, "horizontal", "vertical", "both"}, default None
        Mirror left and right, up and down, or each of the two; half of the images each.
    noise : float, default 0
        Standard deviation of normal noise, in units of the input.

    Raises
    ------
    InvalidValue
        If an argument is out of range.

    Notes
    -----
    Pixels that come into view repeat the nearest edge. Between pixels values are interpolated linearly. In integer
    types results are rounded and kept in range.

    Examples
    --------
    >>> images = np.arange(8.0).reshape(2, 4)
    >>> augmentation = Augmentation(shape=(2, 2), flip="horizontal")
    >>> augmentation.apply(images, np.array([0, 1]), Random(4)).tolist()
    [[1.0, 0.0, 3.0, 2.0], [4.0, 5.0, 6.0, 7.0]]
    """

    shape: tuple[int, ...] = (28, 28)
    rotate: float = 0.0
    shift: int = 0
    flip: str | None = None
    noise: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(self.shape))
        if len(self.shape) not in (2, 3):
            raise InvalidValue(f"shape must be (height, width) or (height, width, channels), got {self.shape}")
        for side in self.shape:
            check_number("a side in shape", side, at_least=1, integer=True)
        check_number("rotate", self.rotate, at_least=0, at_most=180)
        check_number("shift", self.shift, at_least=0, below=min(self.shape[:2]), integer=True)
        if self.flip is not None:
            check_choice("flip", self.flip, _FLIPS)
        check_number("noise", self.noise, at_least=0)

    def apply(self, x: np.ndarray, rows: np.ndarray, random: Random) -> np.ndarray:
        """Return a variant of each image.

        Parameters
        ----------
        x : ndarray, shape (images, height * width * channels)
            Images as they are in the table, before scaling.
        rows : ndarray of int, shape (images,)
            Their positions in the training set: an image's variant depends on its position, the seed and the epoch,
            and not on the batch it is in.
        random : Random
            At the epoch.

        Returns
        -------
        ndarray, shape and dtype of `x`
            A new array.

        Raises
        ------
        DataError
            If the rows are not as long as the shape says, or there is not one position a row.
        """
        height, width = self.shape[:2]
        channels = prod(self.shape[2:])  # one for gray images
        if x.ndim != 2 or x.shape[1] != height * width * channels:
            raise DataError(
                f"an image of shape {self.shape} has {height * width * channels} values, got rows {x.shape}"
            )
        if np.asarray(rows).shape != (len(x),):
            raise DataError(f"one position is needed for each of {len(x)} images, got shape {np.asarray(rows).shape}")
        images = x.reshape(len(x), height, width, channels).astype(np.float64)
        draws = random.at(item=_GEOMETRY)
        for image, row in zip(images, rows, strict=True):
            image[...] = self._moved(image, draws.at(row=int(row)).uniform((1, _DRAWS))[0])
        result = images.reshape(x.shape)
        if self.noise and len(rows):
            noise, count = random.at(item=_NOISE), height * width * channels
            result += self.noise * np.concatenate([noise.at(row=int(row)).normal((1, count)) for row in rows])
        if np.issubdtype(x.dtype, np.integer):
            limits = np.iinfo(x.dtype)
            result = np.clip(np.rint(result), limits.min, limits.max)
        return result.astype(x.dtype)

    def _moved(self, image: np.ndarray, draws: np.ndarray) -> np.ndarray:
        """Return one image, (height, width, channels), mirrored, turned and moved as the draws from [0, 1) say."""
        from scipy import ndimage

        if self.flip in ("horizontal", "both") and draws[3] < 0.5:
            image = image[:, ::-1]
        if self.flip in ("vertical", "both") and draws[4] < 0.5:
            image = image[::-1]
        shift = np.floor(draws[1:3] * (2 * self.shift + 1)) - self.shift
        angle = np.deg2rad((2.0 * draws[0] - 1.0) * self.rotate)
        if angle == 0 and not shift.any():
            return image
        # One interpolation does both: each output pixel looks up its place in the input, turned about the middle.
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        middle = (np.array(image.shape[:2]) - 1) / 2
        offset = middle - turn @ (middle + shift)
        return np.stack(
            [
                ndimage.affine_transform(image[:, :, channel], turn, offset, order=1, mode="nearest")
                for channel in range(image.shape[2])
            ],
            axis=2,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON can hold them."""
        return asdict(self) | {"shape": list(self.shape)}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Augmentation:
        """Make an augmentation from what `to_dict` returned.

        Raises
        ------
        InvalidValue
            If the fields are not those of an augmentation.
        """
        try:
            return cls(**(fields | {"shape": tuple(fields["shape"])}))
        except (TypeError, KeyError) as error:
            raise InvalidValue(f"not an augmentation: {error}") from error
