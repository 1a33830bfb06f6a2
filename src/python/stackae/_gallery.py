"""The recogniser as a classifier of scikit-learn."""

import copyreg
import os
from collections import namedtuple

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from . import _core
from ._autoencoder import StackedAutoencoder, file_bytes, of_bytes, threads_of
from ._inputs import are_paths, is_path, validate_data


def gallery_of_bytes(data):
    return of_bytes(_core.Gallery.load, data)


copyreg.pickle(_core.Gallery, lambda gallery: (gallery_of_bytes, (file_bytes(gallery.save),)))

Recognition = namedtuple("Recognition", "name known distance nearest")
Recognition.__doc__ = """A name, or "unknown" where the nearest is farther than the threshold; the distance, and the nearest of
further names as (name, distance, path)."""


class Gallery(ClassifierMixin, BaseEstimator):
    """Names pictures by the nearest of labelled ones; what is like none of them is unknown.

    Parameters
    ----------
    autoencoder : StackedAutoencoder, str or None
        What makes features of pictures: one that is fitted (one that is not is fitted by fit()), a model's file, or one
        that comes with the package ("digits", "photos"). None: rows are features already.
    metric : str
        "l2" or "cosine".
    vote : str
        "weighted" or "majority".
    n_neighbors : int or None
        That vote; None: 50 with weights, else 5.
    false_accept_rate : float
        Share of strangers that may be named; it sets the threshold of recognize().
    n_jobs : int or None
        Threads; None or -1: one a core.

    Attributes
    ----------
    classes_ : array of the names
    gallery_ : the gallery, see save()
    threshold_ : float or None
        The largest distance at which a picture is known; None where it could not be calibrated.
    """

    def __init__(self, autoencoder=None, *, metric="l2", vote="weighted", n_neighbors=None, false_accept_rate=0.01,
                 n_jobs=None):
        self.autoencoder = autoencoder
        self.metric = metric
        self.vote = vote
        self.n_neighbors = n_neighbors
        self.false_accept_rate = false_accept_rate
        self.n_jobs = n_jobs

    def fit(self, X, y=None):
        """Remembers X under the names y. Of a folder, y may be None: then names are those of the folders in it."""
        self.autoencoder_ = self._fitted_autoencoder(X)
        gallery, names = self._gallery(X, y, reset=True)
        self.classes_, texts = self._classes(names)
        self._names = dict(zip(texts, self.classes_))
        self.gallery_ = gallery
        self.gallery_.calibrate(self.false_accept_rate, threads_of(self.n_jobs))
        return self

    def add(self, X, y=None):
        """Remembers more; a path that is remembered already is replaced."""
        check_is_fitted(self, "gallery_")
        gallery, names = self._gallery(X, y, reset=False)
        classes, texts = self._classes(names)
        self._names.update(zip(texts, classes))
        self.classes_ = np.unique(np.asarray([*self.classes_, *classes]))
        self.gallery_.append(gallery)
        self.gallery_.calibrate(self.false_accept_rate, threads_of(self.n_jobs))
        return self

    def remove(self, name):
        """Forgets a name; returns how many pictures of it there were."""
        check_is_fitted(self, "gallery_")
        removed = self.gallery_.remove(str(name))
        self.classes_ = np.asarray([one for one in self.classes_ if str(one) != str(name)], dtype=self.classes_.dtype)
        self._names.pop(str(name), None)
        return removed

    def predict(self, X):
        """The name of each, of those that are remembered, however far it is."""
        found = self._recognize(X, 1, np.inf)
        unread = sum(name not in self._names for name, *_ in found)
        if unread:
            raise ValueError(f"{unread} of {len(found)} pictures could not be read, which have no name")
        return np.asarray([self._names[name] for name, *_ in found], dtype=self.classes_.dtype)

    def recognize(self, X, top=1):
        """A Recognition of each, which may be "unknown"."""
        return [Recognition(*one) for one in self._recognize(X, top, None)]

    @property
    def threshold_(self):
        return self.gallery_.threshold

    def save(self, path):
        """Writes the gallery as a file of stackae, for `stackae recognize` too."""
        check_is_fitted(self, "gallery_")
        self.gallery_.save(os.fspath(path))

    def export_onnx(self, path, *, input_type="uint8", opset=13):
        """Writes an ONNX graph for other programs, from a picture to its distance to the nearest of each name."""
        check_is_fitted(self, "gallery_")
        if self.autoencoder_ is None:
            raise ValueError("export_onnx: a gallery of features of any origin found, one with an autoencoder expected")
        self.gallery_.export_onnx(self.autoencoder_.model_, os.fspath(path), input_type, opset)

    @classmethod
    def load(cls, path, autoencoder=None, **parameters):
        """A gallery's file, with the model that made its features."""
        gallery = _core.Gallery.load(os.fspath(path))
        classifier = cls(autoencoder, metric=gallery.metric, **parameters)
        encoder = classifier._loaded_autoencoder(gallery)
        classifier.autoencoder_ = encoder
        classifier.gallery_ = gallery
        classifier.classes_ = np.unique(gallery.names)
        classifier._names = {name: name for name in classifier.classes_}
        classifier.n_features_in_ = gallery.dimension if encoder is None else encoder.n_features_in_
        return classifier

    def _fitted_autoencoder(self, X):
        if self.autoencoder is None or hasattr(self.autoencoder, "model_"):
            return self.autoencoder
        if is_path(self.autoencoder):
            return StackedAutoencoder.load(self.autoencoder, n_jobs=self.n_jobs)
        return clone(self.autoencoder).fit(X)

    def _loaded_autoencoder(self, gallery):
        """What made the gallery's features."""
        encoder = self.autoencoder
        if encoder is None:
            return None
        if is_path(encoder):
            encoder = StackedAutoencoder.load(encoder, output=str(gallery.depth), l2_normalize=gallery.l2_normalize,
                                              n_jobs=self.n_jobs)
        check_is_fitted(encoder, "model_")
        gallery.check_model(encoder.model_)
        depth = encoder.model_.depth_of(encoder._output())
        if depth != gallery.depth or bool(encoder.l2_normalize) != gallery.l2_normalize:
            raise ValueError(f"autoencoder: features of {depth} layers, l2_normalize={bool(encoder.l2_normalize)} found, "
                             f"of {gallery.depth}, {gallery.l2_normalize} expected by the gallery")
        return encoder

    def _features(self, X, reset):
        if self.autoencoder_ is None:
            return validate_data(self, X, dtype=np.float32, order="C", reset=reset)
        features = self.autoencoder_.transform(X)
        if reset:
            self.n_features_in_ = self.autoencoder_.n_features_in_
        return features

    def _gallery(self, X, y, reset):
        paths = None
        if is_path(X):
            pictures = _core.Pictures(os.fspath(X))
            paths = pictures.paths()
            y = pictures.labels() if y is None and None not in pictures.labels() else y
        elif are_paths(X):
            paths = [os.fspath(path) for path in X]
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None: names expected of arrays and of "
                             "pictures that lie in no folder of their own")
        features = self._features(X, reset)
        names = column_or_1d(y, warn=True)
        if len(names) != len(features):
            raise ValueError(f"y: {len(names)} names found, {len(features)} expected")
        check_classification_targets(names)
        if paths is None:
            paths = self.gallery_.row_paths(len(features)) if not reset else [f"row {i}" for i in range(len(features))]
        read = np.flatnonzero(~np.isnan(features).any(axis=1))
        encoder = self.autoencoder_
        gallery = _core.Gallery(features[read], [str(name) for name in names[read]], [paths[i] for i in read],
                                None if encoder is None else encoder.model_, "" if encoder is None else encoder._output(),
                                self.metric, False if encoder is None else bool(encoder.l2_normalize))
        return gallery, names[read]

    @staticmethod
    def _classes(names):
        classes = np.unique(names)
        return classes, [str(name) for name in classes]

    def _recognize(self, X, top, threshold):
        check_is_fitted(self, "gallery_")
        features = self._features(X, False)
        read = ~np.isnan(features).any(axis=1)
        found = iter(self.gallery_.recognize(features[read], self.vote, self.n_neighbors, top, threshold,
                                             threads_of(self.n_jobs)) if read.any() else ())
        return [next(found) if fine else ("unknown", False, np.nan, []) for fine in read]
