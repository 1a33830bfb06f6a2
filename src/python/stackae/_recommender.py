"""Recommendations from who took what."""

import numbers
import os

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from . import _core
from ._autoencoder import seed_of, threads_of
from ._inputs import is_path
from ._options import text_of, texts_of, training_options, with_training_options


def table_of(X, value, users=None, items=None):
    """A table of users and items: a file's path, a sparse or dense matrix users × items, or (user, item[, value]) as a
    data frame or a sequence."""
    if is_path(X):
        return _core.Interactions.read(os.fspath(X), value)
    if hasattr(X, "itertuples"):
        if not 2 <= len(X.columns) <= 3:
            raise ValueError(f"a data frame of {len(X.columns)} columns found, user, item and perhaps value expected")
        X = list(X.itertuples(index=False, name=None))
    if not sparse.issparse(X) and not (hasattr(X, "ndim") and X.ndim == 2):
        triples = [tuple(row) for row in X]
        if any(len(row) not in (2, 3) for row in triples):
            raise ValueError("rows of (user, item) or (user, item, value) expected")
        triples = [(str(user), str(item), float(rest[0]) if rest else 1.0) for user, item, *rest in triples]
        triples = [triple for triple in triples if not triple[2] <= 0]  # as in files, whose users are then unknown
        users = list(dict.fromkeys(user for user, *_ in triples))
        items = list(dict.fromkeys(item for _, item, _ in triples))
        rows, columns = ({name: i for i, name in enumerate(names)} for names in (users, items))
        X = sparse.coo_matrix(([r for *_, r in triples],
                               ([rows[user] for user, *_ in triples], [columns[item] for _, item, _ in triples])),
                              shape=(len(users), len(items)))
    matrix = sparse.coo_matrix(X)
    named = [[str(name) for name in names] if names is not None else [str(i) for i in range(count)]
             for names, count in zip((users, items), matrix.shape)]
    for what, names, count in zip(("users", "items"), named, matrix.shape):
        if len(names) != count:
            raise ValueError(f"{what}: {len(names)} names found, {count} expected")
    return _core.Interactions(*named, matrix.row, matrix.col, matrix.data, value)


def are_names(users):
    """Whether users are named, not given by their rows."""
    return (getattr(users, "ndim", 1) == 1 and len(users) > 0
            and all(isinstance(user, (str, numbers.Integral)) for user in users))


@with_training_options
class Recommender(BaseEstimator):
    """Ranks items for users by what they have, by a linear or a deep autoencoder of their rows.

    Parameters
    ----------
    stack : str or None
        The layers, such as "edlae", "elsa:256" or "dense:200"; None: the preset's.
    preset : str
        "auto": the linear denoising autoencoder, with the settings that recommend best to users who are held out, or one
        of `presets()`.
    value : str or None
        What becomes of values: "binary", "log" or "raw" (ratings); None: raw where ratings are learnt, else binary.
    rows : str
        What a row to learn from is: "user" or "item".
    random_state, n_jobs, memory : as StackedAutoencoder
    TRAINING OPTIONS

    Attributes
    ----------
    users_, items_ : lists of names
    model_ : the model, see save()
    """

    def __init__(self, *, stack=None, preset="auto", value=None, rows="user", random_state=0, n_jobs=None,
                 memory=None):
        self.stack = stack
        self.preset = preset
        self.value = value
        self.rows = rows
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.memory = memory

    def fit(self, X, y=None, *, users=None, items=None):
        """X: a path of a table, a sparse or dense matrix users × items, a data frame, or a sequence of (user, item[,
        value]). users, items: names of a matrix's rows and columns; else their numbers."""
        options = texts_of({name: getattr(self, name) for name, *_ in training_options()})
        table = table_of(X, self._value(options), users, items)
        run = {"threads": text_of(threads_of(self.n_jobs)), "memory": text_of(int(self.memory or 0))}
        options.update(rows=self.rows, seed=text_of(seed_of(self.random_state)))
        recipe = _core.Recipe(self.preset, self.stack or "", None, 0.0, options)
        return self._take(_core.train_table(table, recipe, run))

    def recommend(self, users=None, top=10, *, include_known=False):
        """Names of items, best first, and their scores, each n × top. users: a name or names of known ones, None for all;
        or rows of others, as fit() takes them."""
        check_is_fitted(self, "model_")
        numbers, scores = _core.recommend(self.model_, self._rows(users), int(top), include_known, threads_of(self.n_jobs))
        names = np.asarray([*self.items_, None], dtype=object)  # -1 is none
        return names[numbers], np.where(numbers < 0, np.nan, scores)

    def predict(self, users=None):
        """Scores of all items, n × items, those that a user has already too."""
        check_is_fitted(self, "model_")
        return _core.scores(self.model_, self._rows(users), threads_of(self.n_jobs))

    def similar_items(self, item, top=10):
        """Items like one, as (name, how alike)."""
        check_is_fitted(self, "model_")
        return _core.similar_items(self.model_, str(item), int(top))

    def transform(self, users=None):
        """Features of users for any classifier."""
        check_is_fitted(self, "model_")
        return _core.table_features(self.model_, self._rows(users), threads_of(self.n_jobs))

    def item_features(self):
        """Features of all items."""
        check_is_fitted(self, "model_")
        return _core.table_features(self.model_, None, threads_of(self.n_jobs))

    def save(self, path):
        """Writes the model, with its table, as a file of stackae."""
        check_is_fitted(self, "model_")
        self.model_.save(os.fspath(path))

    @classmethod
    def load(cls, path, **parameters):
        """What save() or `stackae train TABLE` wrote."""
        return cls(**parameters)._take(_core.Model.load(os.fspath(path)))

    def export_onnx(self, path, *, opset=13):
        """Writes an ONNX graph for other programs: from a user's row to the scores of all items."""
        check_is_fitted(self, "model_")
        if self.model_.learns_items:
            raise ValueError("export_onnx: a model whose rows are items found, one of users expected")
        self.model_.export_onnx(os.fspath(path), "", "autoencoder", "float32", opset)

    def _take(self, model):
        self.model_ = model
        self._table = _core.model_table(model)
        self.users_ = self._table.users
        self.items_ = self._table.items
        if not self.items_:
            raise ValueError("a model of pictures found, one of a table expected")
        return self

    def _value(self, options):
        value = _core.suited_value(self.preset, options) if self.value is None else self.value
        if value not in ("binary", "log", "raw"):
            raise ValueError(f"value: {value!r} found, binary, log or raw expected")
        return value

    def _rows(self, users):
        if users is None:
            return self._table
        if isinstance(users, (str, numbers.Integral)) and not isinstance(users, os.PathLike):
            users = [users]
        if are_names(users):
            places = {name: i for i, name in enumerate(self.users_)}
            missing = [user for user in users if str(user) not in places]
            if missing:
                raise ValueError(f"users: {str(missing[0])!r} found, which is none of the {len(places)} that are known")
            return self._table.rows([places[str(user)] for user in users])
        matrix = hasattr(users, "shape") and not hasattr(users, "itertuples")
        table = table_of(users, self._table.value_mode, items=self.items_ if matrix else None)
        return table if matrix else table.with_items(self.items_)

    def __getstate__(self):
        return {name: value for name, value in super().__getstate__().items() if name != "_table"}

    def __setstate__(self, state):
        super().__setstate__(state)
        if hasattr(self, "model_"):
            self._table = _core.model_table(self.model_)
