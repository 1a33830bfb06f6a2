"""Odd pictures, and where."""

import os
import pickle
import subprocess

import numpy as np
import pytest

from stackae import PatchMemory


def waves(count, seed, odd=False):
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:64, :64]
    pictures = (0.5 + 0.2 * np.sin(0.7 * x + 6 * random.random((count, 1, 1)))
                + 0.15 * np.sin(0.5 * y + 6 * random.random((count, 1, 1))) + 0.03 * random.standard_normal((count, 64, 64)))
    if odd:
        pictures[:, 20:27, 40:47] = 0.95
    return np.clip(255 * pictures, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def memory():
    return PatchMemory(false_alarm=0.05).fit(waves(40, 0))


def test_odd_pictures_are_told_and_where(memory):
    good, odd = waves(20, 1), waves(20, 2, odd=True)
    assert np.mean(memory.predict(good) == 1) >= 0.8
    assert np.all(memory.predict(odd) == -1)
    assert np.allclose(memory.decision_function(odd), memory.threshold_ - memory.anomaly_scores(odd))
    maps = memory.anomaly_maps(odd)
    assert maps.shape == (20, 64, 64)
    for place in maps:
        top, left = np.unravel_index(np.argmax(place), place.shape)
        assert abs(top - 23) <= 8 and abs(left - 43) <= 8


def test_memories_survive_files_and_pickles(memory, tmp_path):
    some = waves(5, 3)
    memory.save(tmp_path / "good.memory")
    for other in (PatchMemory.load(tmp_path / "good.memory", false_alarm=0.05), pickle.loads(pickle.dumps(memory))):
        assert np.array_equal(other.anomaly_scores(some), memory.anomaly_scores(some))
        assert other.threshold_ == memory.threshold_
    memory.export_onnx(tmp_path / "good.onnx")
    assert b"stackae.threshold" in (tmp_path / "good.onnx").read_bytes()
    np.save(tmp_path / "some.npy", some)
    printed = subprocess.run([os.environ["STACKAE_PROGRAM"], "score", tmp_path / "some.npy", "--patch-memory",
                              tmp_path / "good.memory", "-q"], check=True, capture_output=True, text=True)
    scores = [float(line.split(",")[1]) for line in printed.stdout.splitlines()[1:]]
    assert np.allclose(scores, memory.anomaly_scores(some), rtol=1e-4)


def test_what_is_no_picture_is_refused(memory):
    with pytest.raises(ValueError, match="n x h x w"):
        memory.anomaly_scores(np.zeros((3, 10), np.float32))
    with pytest.raises(ValueError, match="method"):
        PatchMemory(method="guess").fit(waves(5, 0))


def test_a_picture_that_cannot_be_read_is_neither_good_nor_odd(memory, tmp_path):
    cv = pytest.importorskip("PIL.Image")
    files = []
    for i, picture in enumerate(waves(9, 4)):
        files.append(tmp_path / f"{i}.png")
        cv.fromarray(picture).save(files[-1])
    files[8].write_bytes(b"no picture")
    with pytest.warns(UserWarning, match="8.png"):
        scores = memory.anomaly_scores(files)
    assert np.array_equal(np.flatnonzero(np.isnan(scores)), [8])
    with pytest.warns(UserWarning):
        assert memory.predict(files)[8] == -1
