from pathlib import Path

import numpy as np
import pytest

root = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def samples():
    return root / "sample_images"


@pytest.fixture(scope="session")
def digits():
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return X.astype(np.float32), y
