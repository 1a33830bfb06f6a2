"""The stacked autoencoder as a transformer of scikit-learn."""

import copyreg
import json
import math
import numbers
import os
import tempfile
import warnings
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from . import _core
from ._inputs import are_paths, indexed_by_paths, is_path, pictures_of, warn_of_skipped
from ._options import text_of, texts_of, training_options, with_training_options


def file_bytes(save):
    """What save(path) writes."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file")
        save(path)
        return Path(path).read_bytes()


def of_bytes(load, data):
    """What load(path) makes of a file of these bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file")
        Path(path).write_bytes(data)
        return load(path)


def model_of_bytes(data):
    return of_bytes(_core.Model.load, data)


copyreg.pickle(_core.Model, lambda model: (model_of_bytes, (file_bytes(model.save),)))


def seed_of(random_state):
    """A whole number is itself; else one that the generator draws."""
    if isinstance(random_state, numbers.Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


def threads_of(n_jobs):
    """0: one a core. OMP_NUM_THREADS, which joblib sets in its workers, counts where nothing is said."""
    if n_jobs is None:
        told = os.environ.get("OMP_NUM_THREADS", "0").split(",")[0]
        return int(told) if told.isdigit() else 0
    return 0 if n_jobs < 1 else int(n_jobs)


@with_training_options
class StackedAutoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Features of pictures or of rows of numbers by a stacked autoencoder, learnt without labels.

    Parameters
    ----------
    n_components : int or None
        Values of the code: units of the highest dense layer, or principal components on top of convolutions.
    stack : str, sequence of int or None
        The layers bottom up, such as "conv2d:256:kernel=7, pool2d:2, dense:100", or the units of dense layers, such as
        (500, 100). None: the preset's.
    preset : str
        Where all values come from that are not given: "auto", a stack that suits what is learnt from, or one of
        `presets()`.
    budget : float
        Of auto: seconds on two cores for training and for encoding once.
    output : str or None
        Which features: an output's name ("embedding", "wide"), or how many layers are run; None: the first output.
    l2_normalize : bool
        Features are scaled to length 1.
    image_shape : tuple or None
        (height, width) or (height, width, channels) of pictures that come as rows, flattened, channels last.
    image_size : (int, int) or None
        Height and width that pictures are brought to; None: their median, at most 64.
    channels : int or None
        1: gray, 3: RGB; None: what the pictures have.
    standardize : bool or None
        Each value less its mean and divided by its deviation; None: where rows of numbers are learnt from, by one
        deviation of all values where these lie in 0 to 1.
    random_state : int, RandomState or None
        The same whole number gives the same model, at any number of threads.
    n_jobs : int or None
        Threads; None or -1: one a core.
    memory : int or None
        Bytes that may be taken; None: half of what the machine has.
    checkpoint : path or None
        A file that training is kept in while it is under way: after an interruption the same fit() goes on there.
    verbose : int
        1: a line a stage, 2: a line an epoch.
    TRAINING OPTIONS

    Attributes
    ----------
    model_ : the model, see save()
    loss_curve_ : list of float
        Training losses, epoch by epoch, of all stages; history_ says which.
    history_ : list of dict
    n_features_in_ : int
        Values of a row or of a picture.
    n_features_out_ : int
    """

    def __init__(self, n_components=None, *, stack=None, preset="auto", budget=900.0, output=None, l2_normalize=False,
                 image_shape=None, image_size=None, channels=None, standardize=None, random_state=0, n_jobs=None,
                 memory=None, checkpoint=None, verbose=0):
        self.n_components = n_components
        self.stack = stack
        self.preset = preset
        self.budget = budget
        self.output = output
        self.l2_normalize = l2_normalize
        self.image_shape = image_shape
        self.image_size = image_size
        self.channels = channels
        self.standardize = standardize
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.memory = memory
        self.checkpoint = checkpoint
        self.verbose = verbose

    # Learning.

    def fit(self, X, y=None):
        """Learns from X: an array n × d, n × h × w or n × h × w × c, a path, or a list of picture files. y is not used."""
        pictures = self._pictures(X, reset=True, min_samples=2)
        recipe = _core.Recipe(self.preset, self._stack_text(), self.n_components, float(self.budget),
                              {**self._training_options(), "seed": str(seed_of(self.random_state))})
        preprocessing = {"channels": self.channels, "standardize": self.standardize}
        if self.image_size is not None:
            preprocessing["height"], preprocessing["width"] = (int(side) for side in self.image_size)
        run = self._run_options()
        if self.checkpoint is not None:
            run.update(checkpoint=os.fspath(self.checkpoint), resume="true")
        self._take(_core.train(pictures, preprocessing, recipe, run, self._tell), X)
        if self.checkpoint is not None:
            _core.remove_training_checkpoint(os.fspath(self.checkpoint))
        return self

    def partial_fit(self, X, y=None):
        """Goes on with other rows or pictures: the dense layers are fine-tuned end to end, fine_tune_epochs times or once.
        The first call is fit(). What rows are standardised by stays that of the first call."""
        if not hasattr(self, "model_"):
            return self.fit(X, y)
        options = {"fine_tune_epochs": "1", **self._training_options()}
        model = _core.fine_tune(self.model_, self._pictures(X), options, self._run_options(), self._tell)
        self._take(model, X)
        return self

    # Using what was learnt.

    def transform(self, X):
        """Features, n × n_features_out_. Rows of pictures that cannot be read are NaN, with a warning."""
        check_is_fitted(self, "model_")
        pictures = self._pictures(X)
        codes, skipped = self.model_.encode(pictures, self._output(), bool(self.l2_normalize), threads_of(self.n_jobs),
                                            int(self.memory or 0))
        warn_of_skipped(skipped, len(pictures))
        return codes

    def inverse_transform(self, X):
        """What the decoder makes of features, in the values that fit() was given (pictures: 0 to 1)."""
        check_is_fitted(self, "model_")
        self._refuse_normalized("inverse_transform")
        codes = np.ascontiguousarray(X, dtype=np.float32)
        if codes.ndim != 2 or codes.shape[1] != self.n_features_out_:
            raise ValueError(f"inverse_transform: an array of shape {codes.shape} found, n x {self.n_features_out_} expected")
        return self._restored(self.model_.decode(codes, self._output(), threads_of(self.n_jobs)))

    def reconstruct(self, X):
        """X as the autoencoder rebuilds it, in the values that fit() was given (pictures: 0 to 1)."""
        return self._restored(self._reconstruct(X, True)[0])

    def score_samples(self, X):
        """How well each row is rebuilt: less the mean squared error, in the values that the first layer sees. The lower,
        the less it is like what was learnt from."""
        return -self._reconstruct(X, False)[1].astype(np.float64)

    def score(self, X, y=None):
        """The mean of score_samples()."""
        return float(np.mean(self.score_samples(X)))

    # Files.

    def save(self, path):
        """Writes the model as a file of stackae, whole or not at all."""
        check_is_fitted(self, "model_")
        self.model_.save(os.fspath(path))

    @classmethod
    def load(cls, path, **parameters):
        """A model's file, or one that comes with the package: "digits", "photos"."""
        shipped = Path(__file__).parent / "models" / f"{path}.stackae"
        model = _core.Model.load(str(shipped) if not os.path.isfile(path) and shipped.exists() else os.fspath(path))
        estimator = cls(**parameters)
        estimator._take(model, None)
        return estimator

    def export_onnx(self, path, *, part="encoder", input_type="uint8", opset=13):
        """Writes an ONNX graph for other programs: part is "encoder", "decoder" or "autoencoder"."""
        check_is_fitted(self, "model_")
        self._refuse_normalized("export_onnx")
        output = "" if part == "autoencoder" else self._output()
        self.model_.export_onnx(os.fspath(path), output, part, input_type, opset)

    # What they share.

    @property
    def n_features_out_(self):
        return self.model_.code_size(self._output())

    @property
    def _n_features_out(self):
        return self.n_features_out_

    def _refuse_normalized(self, what):
        if self.l2_normalize:
            raise ValueError(f"{what}: l2_normalize found, features as the model makes them expected")

    def _output(self):
        return "" if self.output is None else str(self.output)

    def _stack_text(self):
        if self.stack is None or isinstance(self.stack, str):
            return self.stack or ""
        return ", ".join(f"dense:{int(units)}" for units in self.stack)

    def _training_options(self):
        return texts_of({name: getattr(self, name) for name, *_ in training_options()})

    def _run_options(self):
        return {"threads": text_of(threads_of(self.n_jobs)), "memory": text_of(int(self.memory or 0))}

    def _pictures(self, X, reset=False, min_samples=1):
        return pictures_of(self, X, image_shape=self.image_shape, reset=reset, min_samples=min_samples)

    def _take(self, model, X):
        self.model_ = model
        told = json.loads(model.describe())
        self.history_ = told["record"]["history"]
        self.loss_curve_ = [epoch["train_loss"] for epoch in self.history_ if epoch["train_loss"] is not None]
        self.n_iter_ = len(self.history_)
        rows = X is not None and not is_path(X) and not are_paths(X) and getattr(X, "ndim", 2) == 2
        if not rows:
            self.n_features_in_ = math.prod(model.input_shape)
        self._of_rows = rows or model.input_shape[0] == 1

    def _tell(self, kind, text):
        if kind == "skipped":
            warnings.warn(f"a picture could not be read and is left out: {text}", stacklevel=4)
        elif kind == "alike":
            warnings.warn(f"all {text} rows are alike: nothing can be learnt that tells them apart", stacklevel=4)
        elif kind == "stage" and self.verbose:
            print(f"[StackedAutoencoder] {text}")
        elif kind == "epoch" and self.verbose > 1:
            epoch = json.loads(text)
            print(f"[StackedAutoencoder] {epoch['stage']}, epoch {epoch['epoch']}: loss {epoch['train_loss']}, "
                  f"held out {epoch['validation_loss']}")

    def _reconstruct(self, X, want_rebuilt):
        check_is_fitted(self, "model_")
        pictures = self._pictures(X)
        rebuilt, errors, skipped = self.model_.reconstruct(pictures, want_rebuilt, threads_of(self.n_jobs))
        warn_of_skipped(skipped, len(pictures))
        return rebuilt, errors

    def _restored(self, rows):
        """Values of the first layer as those of X."""
        model = self.model_
        if model.mean:
            rows *= np.asarray(model.deviation, dtype=np.float32)
            rows += np.asarray(model.mean, dtype=np.float32)
        height, width, channels = model.input_shape
        if self._of_rows:
            return rows
        return rows.reshape(len(rows), height, width, *([channels] if channels > 1 else []))

    def _more_tags(self):  # scikit-learn below 1.6
        return {"preserves_dtype": [np.float32]}

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


# Above what scikit-learn has put around it.
StackedAutoencoder.transform = indexed_by_paths(StackedAutoencoder.transform)
