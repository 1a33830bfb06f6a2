"""Names from labelled pictures."""

import os
import pickle
import subprocess

import numpy as np
import pytest
from sklearn.model_selection import cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

import stackae
from stackae import Gallery, StackedAutoencoder


@parametrize_with_checks([Gallery()])
def test_what_scikit_learn_checks(estimator, check):
    check(estimator)


def test_pictures_of_a_folder_get_the_names_of_another(samples, tmp_path):
    gallery = Gallery("digits").fit(samples / "train")
    assert list(gallery.classes_) == [str(i) for i in range(10)]
    found = gallery.recognize(samples / "recognize", top=3)
    path = tmp_path / "digits.gallery"
    gallery.save(path)
    program = os.environ["STACKAE_PROGRAM"]
    printed = subprocess.run([program, "recognize", samples / "recognize", "-g", path, "-m",
                              samples.parent / "models" / "digits.stackae", "-q"], check=True, capture_output=True, text=True)
    names = [line.split(",")[1] for line in printed.stdout.splitlines()[1:]]
    assert [one.name for one in found] == names
    assert "unknown" in names and len(set(names)) > 3
    assert all(len(one.nearest) == 3 for one in found)
    assert all(name in gallery.classes_ for name in gallery.predict(samples / "recognize"))
    again = Gallery.load(path, "digits")
    assert [one.name for one in again.recognize(samples / "recognize")] == names


def test_features_are_named_by_the_nearest(digits):
    X, y = digits
    gallery = Gallery().fit(X[:1000], y[:1000])
    assert gallery.predict(X[1000:]).dtype == y.dtype
    assert gallery.score(X[1000:], y[1000:]) > 0.95
    more = Gallery().fit(X[:500], y[:500]).add(X[500:1000], y[500:1000])
    assert np.array_equal(more.predict(X[1000:]), gallery.predict(X[1000:]))
    assert np.array_equal(pickle.loads(pickle.dumps(gallery)).predict(X[:50]), gallery.predict(X[:50]))
    stranger = gallery.recognize(1000 + X[:1])[0]
    assert stranger.name == "unknown" and not stranger.known


def test_a_gallery_is_of_one_model(samples, tmp_path, digits):
    Gallery("digits").fit(samples / "train").save(tmp_path / "own.gallery")
    other = StackedAutoencoder(stack=(8,), epochs=1).fit(digits[0][:50])
    with pytest.raises(stackae.InvalidArgument, match="model"):
        Gallery.load(tmp_path / "own.gallery", other)
    with pytest.raises(ValueError, match="names expected"):
        Gallery().fit(digits[0])


def test_an_autoencoder_is_fitted_anew_in_every_fold(digits):
    X, y = digits
    scores = cross_val_score(Gallery(StackedAutoencoder(stack=(32,), epochs=3).fit(X)), X[:600], y[:600], cv=3)
    assert scores.min() > 0.7


def test_files_keep_their_paths_and_bad_ones_are_unknown(samples, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    threes, fours = (sorted((samples / "train" / name).glob("*.png"))[:4] for name in "34")
    with pytest.warns(UserWarning, match="bad.png"):
        gallery = Gallery("digits").fit([*threes, tmp_path / "bad.png", *fours], ["3"] * 5 + ["4"] * 4)
    assert len(gallery.gallery_) == 8
    with pytest.warns(UserWarning):
        found = gallery.recognize([threes[0], tmp_path / "bad.png"])
    assert found[0].nearest[0][2] == str(threes[0])
    assert found[1].name == "unknown" and np.isnan(found[1].distance)
    gallery.add(threes, ["3"] * 4)
    assert len(gallery.gallery_) == 8
    assert gallery.remove("4") == 4 and list(gallery.classes_) == ["3"]
    gallery.save(tmp_path / "own.gallery")
    with pytest.raises(ValueError, match="l2_normalize"):
        Gallery.load(tmp_path / "own.gallery", StackedAutoencoder.load("digits", l2_normalize=True))


def test_a_gallery_is_exported_with_its_names(samples, tmp_path, digits):
    gallery = Gallery("digits").fit(samples / "train")
    gallery.export_onnx(tmp_path / "names.onnx")
    assert b'["0","1","2","3","4","5","6","7","8","9"]' in (tmp_path / "names.onnx").read_bytes()
    with pytest.raises(ValueError, match="of any origin"):
        Gallery().fit(*digits).export_onnx(tmp_path / "none.onnx")


def test_rows_that_are_added_to_a_file_take_no_others_place(tmp_path, digits):
    X, y = digits[0][:30], digits[1][:30]
    gallery = Gallery().fit(X, y)
    gallery.remove(y[0])
    gallery.save(tmp_path / "less.gallery")
    loaded = Gallery.load(tmp_path / "less.gallery")
    before = len(loaded.gallery_)
    loaded.add(digits[0][30:40], digits[1][30:40])
    assert before < 30 and len(loaded.gallery_) == before + 10
