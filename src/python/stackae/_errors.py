"""What the library throws, as exceptions of Python."""


class Error(Exception):
    """Every exception of this package's own; the message names what was found and what was expected."""


class InvalidArgument(Error, ValueError):
    """What was asked for cannot be: an unknown name, shapes that differ."""


class IoError(Error, OSError):
    """The system refused: a file that is missing, unreadable or cannot be written."""


class CorruptFile(Error, ValueError):
    """A file was read, but what is in it cannot be believed."""


class Divergence(Error, ArithmeticError):
    """Training ran away: the loss is not a number, or far above that of predicting the mean."""


class NotFinite(Error, ValueError):
    """What a model makes of a picture is infinite or not a number."""
