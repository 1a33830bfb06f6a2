"""Odd pictures, and where in them, as an outlier detector of scikit-learn."""

import copyreg
import json
import os
import warnings

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.utils.validation import check_is_fitted

from . import _core
from ._autoencoder import StackedAutoencoder, file_bytes, of_bytes, seed_of, threads_of
from ._inputs import is_path, pictures_of, warn_of_skipped


def memory_of_bytes(data):
    return of_bytes(_core.PatchMemory.load, data)


copyreg.pickle(_core.PatchMemory, lambda memory: (memory_of_bytes, (file_bytes(memory.save),)))


class PatchMemory(OutlierMixin, BaseEstimator):
    """Learns what good pictures look like, and tells odd ones, and where they are odd.

    Parameters
    ----------
    method : str or None
        "memory", "gaussian", "position_gaussian" or "reconstruction"; None: what tells planted defects best.
    autoencoder : StackedAutoencoder, str or None
        A stack of convolutions whose maps are compared, fitted or to be fitted; None: units are learnt from the good pictures.
    output : str or None
        An output of it.
    image_size : int
        Pixels of the longer side that pictures are looked at in, at most; 0: 512.
    tile : int
        For defects of a few pixels in large pictures: pictures are looked at in their own size, and are as odd as the
        oddest of their tiles of so many pixels a side; 0: a picture as a whole.
    stride : int
        Pixels between positions; 0: 8, and 4 of pictures below 128.
    max_codes, n_components : int
        Codes that are remembered, and values of one, at most.
    false_alarm : float
        Share of good pictures that may be taken for odd ones; it sets offset_.
    random_state, n_jobs, memory : as StackedAutoencoder

    Attributes
    ----------
    memory_ : the memory, see save()
    threshold_, offset_ : float
        Scores above threshold_ are odd; offset_ is less that.
    promised_ : float
        Of good pictures that were never seen, at most this share is above the threshold, with a confidence of 95 %.
    description_ : dict
        The rule, and how well it told defects that were planted.
    """

    def __init__(self, *, method=None, autoencoder=None, output=None, image_size=0, tile=0, stride=0, max_codes=10_000,
                 n_components=64, false_alarm=0.01, random_state=0, n_jobs=None, memory=None):
        self.method = method
        self.autoencoder = autoencoder
        self.output = output
        self.image_size = image_size
        self.tile = tile
        self.stride = stride
        self.max_codes = max_codes
        self.n_components = n_components
        self.false_alarm = false_alarm
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.memory = memory

    def fit(self, X, y=None):
        """X: good pictures, as an array n × h × w or n × h × w × c, a folder, or a list of files. y is not used."""
        model = self.autoencoder
        if model is not None:
            fitted = StackedAutoencoder.load(model) if is_path(model) else model
            model = (fitted if hasattr(fitted, "model_") else clone(fitted).fit(X)).model_
        memory, skipped = _core.memorize(self._pictures(X), self.method, model, self.output or "", self.image_size,
                                         self.tile, self.stride, self.max_codes, self.n_components,
                                         seed_of(self.random_state), threads_of(self.n_jobs), int(self.memory or 0))
        for path, why in skipped:
            warnings.warn(f"{path} could not be read and is left out: {why}", stacklevel=2)
        return self._take(memory)

    def anomaly_scores(self, X):
        """How odd each picture is; higher is odder. Of pictures that cannot be read NaN, with a warning."""
        return self._score(X, False)[0]

    def anomaly_maps(self, X):
        """How odd each place is, n × height × width of the pictures as they are looked at."""
        return self._score(X, True)[1]

    def score_samples(self, X):
        """Less the anomaly score: the lower, the odder."""
        return -self.anomaly_scores(X)

    def decision_function(self, X):
        """Below 0 where a picture is odd."""
        return self.score_samples(X) - self.offset_

    def predict(self, X):
        """−1 where a picture is odd, else 1; −1 of one that cannot be read."""
        return np.where(self.decision_function(X) >= 0, 1, -1)

    def save(self, path):
        """Writes the memory as a file of stackae, for `stackae score` too."""
        check_is_fitted(self, "memory_")
        self.memory_.save(os.fspath(path))

    @classmethod
    def load(cls, path, **parameters):
        """What save() or `stackae memorize` wrote."""
        return cls(**parameters)._take(_core.PatchMemory.load(os.fspath(path)))

    def export_onnx(self, path, *, output="map", input_type="uint8", opset=13):
        """Writes an ONNX graph for other programs, whose output is "map" or "score"."""
        check_is_fitted(self, "memory_")
        self.memory_.export_onnx(os.fspath(path), output, input_type, opset)

    def _pictures(self, X):
        if not is_path(X) and getattr(X, "ndim", None) == 2:
            raise ValueError(f"an array of shape {X.shape} found, pictures n x h x w or n x h x w x c expected")
        return pictures_of(self, X)

    def _take(self, memory):
        self.memory_ = memory
        self.threshold_, self.promised_ = memory.threshold(self.false_alarm)
        self.offset_ = -self.threshold_
        self.description_ = json.loads(memory.describe())
        return self

    def _score(self, X, want_maps):
        check_is_fitted(self, "memory_")
        pictures = self._pictures(X)
        scores, maps, skipped = self.memory_.score(pictures, want_maps, threads_of(self.n_jobs))
        warn_of_skipped(skipped, len(pictures))
        return scores, maps
