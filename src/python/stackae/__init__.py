"""Stacked autoencoders for features of pictures and of rows of numbers, on the CPU.

    from stackae import StackedAutoencoder

    features = StackedAutoencoder().fit_transform(X)      # an array, a folder of pictures, a list of files
"""

from . import _core
from ._autoencoder import StackedAutoencoder
from ._errors import CorruptFile, Divergence, Error, InvalidArgument, IoError, NotFinite
from ._gallery import Gallery, Recognition
from ._patch_memory import PatchMemory
from ._recommender import Recommender

__version__ = _core.version()


def presets():
    """Names of presets, with what each is for."""
    return dict(_core.presets())


__all__ = ["CorruptFile", "Divergence", "Error", "Gallery", "InvalidArgument", "IoError", "NotFinite", "PatchMemory",
           "Recognition", "Recommender", "StackedAutoencoder", "presets"]
