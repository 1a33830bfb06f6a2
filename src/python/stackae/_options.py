"""Parameters that come from the library's own table of options, so that they are there once."""

import inspect

import numpy as np

from . import _core


def text_of(value):
    """An option's value as the library reads it."""
    return str(value).lower() if isinstance(value, (bool, np.bool_)) else str(value)


def texts_of(options):
    """Those that are given, by their names."""
    return {name: text_of(value) for name, value in options.items() if value is not None}


def training_options():
    """(name, what is expected, default, help) of what settles a training, but for its seed and a table's rows."""
    return [option for option in _core.train_options() if option[0] not in ("seed", "rows")]


def with_training_options(cls):
    """Adds the training options to a class's parameters, None each, which is to say as the preset has them, and to its
    docstring."""
    own = cls.__init__
    given = inspect.signature(own).parameters
    names = [option[0] for option in training_options()]
    added = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in names if name not in given]
    kept = [parameter for parameter in given.values() if parameter.kind is not inspect.Parameter.VAR_KEYWORD]

    def __init__(self, *args, **kwargs):
        options = {parameter.name: kwargs.pop(parameter.name, None) for parameter in added}
        own(self, *args, **kwargs)
        for name, value in options.items():
            setattr(self, name, value)

    __init__.__signature__ = inspect.Signature(kept + added)
    cls.__init__ = __init__
    lines = [f"{name} : default as the preset has it\n    {help}. Expected: {expected}; without a preset {value or 'none'}."
             for name, expected, value, help in training_options()]
    # From Python 3.13 on the docstring has come without its indentation.
    cls.__doc__ = inspect.cleandoc(cls.__doc__).replace("TRAINING OPTIONS\n", "\n".join(lines) + "\n")
    return cls
