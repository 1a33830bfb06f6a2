"""MNIST's pictures, for parts that need some that people look at."""
import gzip
import os
import pathlib

import numpy as np

from .writers import write_idx

HEADS = {"images": 16, "labels": 8}


def digits(kind, count, folder):
    """The IDX file of the first pictures of `train` or `t10k`, with the labels beside it, out of the folder that
    STACKAE_DATA names; None where it has none."""
    source = pathlib.Path(os.environ.get("STACKAE_DATA", "../shared/data"))
    paths = {part: source / f"{kind}-{part}-idx{3 if part == 'images' else 1}-ubyte.gz" for part in HEADS}
    if not all(path.exists() for path in paths.values()):
        return None
    found = {}
    for part, path in paths.items():
        with gzip.open(path) as file:
            found[part] = np.frombuffer(file.read(), dtype=np.uint8, offset=HEADS[part])
    pictures = found["images"].reshape(-1, 28, 28)[:count]
    return write_idx(folder, kind, pictures, found["labels"][:count])
