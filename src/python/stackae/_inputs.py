"""Arrays, paths and folders as the library takes them."""

import functools
import os
import warnings

import numpy as np

from . import _core

try:  # from scikit-learn 1.6 on
    from sklearn.utils.validation import validate_data
except ImportError:

    def validate_data(estimator, X, **options):
        return estimator._validate_data(X, **options)


def is_path(X):
    return isinstance(X, (str, os.PathLike))


def are_paths(X):
    return isinstance(X, (list, tuple)) and len(X) > 0 and all(is_path(x) for x in X)


class PictureFiles:
    """A path or a list of paths, with the pictures' paths as the index of a data frame of what is made of them."""

    def __init__(self, X):
        self.pictures = _core.Pictures(os.fspath(X) if is_path(X) else [os.fspath(x) for x in X])

    @property
    def index(self):
        return self.pictures.paths()


def indexed_by_paths(transform):
    """transform(self, X), whose X may be paths, under scikit-learn's set_output(), which takes a data frame's index from
    what X has by that name: a text and a list have a method of it."""

    @functools.wraps(transform)
    def transform_files(self, X):
        return transform(self, PictureFiles(X) if is_path(X) or are_paths(X) else X)

    return transform_files


def _shares(array):
    """Pictures' values as floats: whole numbers of 8 and 16 bits as shares of the largest, as files have them."""
    array = np.asarray(array)
    if array.dtype.kind == "u" and array.dtype.itemsize <= 2:
        return np.divide(array, np.float32(np.iinfo(array.dtype).max), dtype=np.float32)
    return np.asarray(array, dtype=np.float32)


def pictures_of(estimator, X, *, image_shape=None, reset=False, min_samples=1):
    """X as pictures of the library.

    X is an array n × d of rows of numbers (with image_shape: of pictures, flattened), an array n × h × w or
    n × h × w × c of pictures, a path of whatever `stackae train` takes (a folder, a list, an array's file), or a list
    of picture files. Floats of pictures are from 0 to 1.
    """
    if is_path(X) or are_paths(X):
        X = PictureFiles(X)
    if isinstance(X, PictureFiles):
        return X.pictures
    if isinstance(X, (list, tuple)) and len(X) > 0 and getattr(X[0], "ndim", 1) > 1:
        X = np.stack(X)
    if getattr(X, "ndim", 2) in (3, 4):
        return _core.Pictures(_shares(X))
    rows = validate_data(estimator, X, dtype=None if image_shape else np.float32, order="C", reset=reset,
                         ensure_min_samples=min_samples)
    if image_shape is None:
        return _core.Pictures(rows)
    if rows.shape[1] != np.prod(image_shape):
        raise ValueError(f"image_shape: {tuple(image_shape)} found, {rows.shape[1]} values in all expected")
    return _core.Pictures(_shares(rows).reshape(len(rows), *image_shape))


def warn_of_skipped(skipped, count):
    """Pictures that could not be read: their rows are not numbers, and this says why. skipped: paths and reasons."""
    if skipped and len(skipped) == count:
        raise ValueError(f"none of {count} pictures could be read: {skipped[0][0]}: {skipped[0][1]}")
    if skipped:
        said = "; ".join(f"{path}: {why}" for path, why in skipped[:5])
        more = f"; and {len(skipped) - 5} more" if len(skipped) > 5 else ""
        warnings.warn(f"{len(skipped)} of {count} pictures could not be read, their rows are NaN: {said}{more}",
                      stacklevel=3)
