"""StackedAutoencoder as scikit-learn and its users expect it."""

import inspect
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

import stackae
from stackae import StackedAutoencoder


@parametrize_with_checks([StackedAutoencoder(stack=(8, 4), epochs=2)])
def test_what_scikit_learn_checks(estimator, check):
    check(estimator)


def test_scikit_learn_takes_the_defaults(digits):
    X = digits[0][:200]
    estimator = StackedAutoencoder()
    assert np.array_equal(clone(estimator).fit_transform(X), estimator.fit(X).transform(X))


def test_features_are_those_of_the_program(samples, tmp_path):
    autoencoder = StackedAutoencoder.load("digits")
    features = autoencoder.transform(samples / "recognize")
    program = Path(os.environ["STACKAE_PROGRAM"])
    path = tmp_path / "features.npy"
    subprocess.run([program, "extract", samples / "recognize", "-m", samples.parent / "models" / "digits.stackae", "-o", path,
                    "-q"], check=True)
    assert np.array_equal(features, np.load(path))


def test_arrays_and_files_of_the_same_pictures_have_the_same_features(samples):
    files = sorted((samples / "train" / "3").glob("*.png"))
    autoencoder = StackedAutoencoder.load("digits")
    shape = autoencoder.model_.input_shape[:2]
    pixels = np.stack([picture(file, shape) for file in files])
    assert np.allclose(autoencoder.transform(pixels), autoencoder.transform(files), atol=1e-5)
    assert np.array_equal(autoencoder.transform(pixels), autoencoder.transform(pixels.astype(np.float32) / 255))
    assert np.array_equal(autoencoder.transform(files), autoencoder.transform([str(file) for file in files]))


def picture(file, shape):
    """Of the samples, all of which are gray and of the model's size."""
    Image = pytest.importorskip("PIL.Image")
    pixels = np.asarray(Image.open(file).convert("L"))
    assert pixels.shape == shape
    return pixels


def test_rows_are_rebuilt_in_their_own_values(digits):
    X = digits[0]
    autoencoder = StackedAutoencoder(stack=(64, 32), epochs=20, fine_tune_epochs=0).fit(X)
    rebuilt = autoencoder.inverse_transform(autoencoder.transform(X))
    assert rebuilt.shape == X.shape
    assert np.mean((rebuilt - X) ** 2) < 0.5 * np.mean((X - X.mean(axis=0)) ** 2)
    assert np.allclose(rebuilt, autoencoder.reconstruct(X), atol=1e-3)
    assert autoencoder.loss_curve_[19] < autoencoder.loss_curve_[0]
    assert autoencoder.n_iter_ == len(autoencoder.loss_curve_) == 40
    odd = np.random.default_rng(0).permuted(X[:100], axis=1)
    assert np.mean(autoencoder.score_samples(odd)) < np.mean(autoencoder.score_samples(X[:100]))
    assert autoencoder.score(X[:100]) == pytest.approx(np.mean(autoencoder.score_samples(X[:100])))


def test_the_code_has_as_many_values_as_are_asked_for(digits):
    X = digits[0][:300]
    assert StackedAutoencoder(n_components=5, epochs=1).fit_transform(X).shape == (300, 5)
    assert StackedAutoencoder(n_components=3, stack="dense:20, dense:10", epochs=1).fit_transform(X).shape == (300, 3)
    pictures = X.reshape(-1, 8, 8) / 16
    conv = StackedAutoencoder(n_components=7, stack="conv2d:8:kernel=3, pool2d:2", epochs=1)
    assert conv.fit(pictures).transform(pictures).shape == (300, 7)
    rows = StackedAutoencoder(n_components=7, stack="conv2d:8:kernel=3, pool2d:2", image_shape=(8, 8))
    assert np.array_equal(rows.fit_transform(X / 16), conv.transform(pictures))


def test_the_same_seed_gives_the_same_model_at_any_number_of_threads(digits):
    X = digits[0][:200]
    made = [StackedAutoencoder(stack=(8,), epochs=2, random_state=5, n_jobs=jobs).fit(X).model_.identity() for jobs in (1, 2)]
    assert made[0] == made[1]
    assert made[0] != StackedAutoencoder(stack=(8,), epochs=2, random_state=6).fit(X).model_.identity()


def test_going_on_learns_more(digits):
    X = digits[0]
    autoencoder = StackedAutoencoder(stack=(64, 16), epochs=1, fine_tune_epochs=1)
    first = autoencoder.partial_fit(X[:900]).score(X)
    for _ in range(10):
        autoencoder.partial_fit(X[900:])
    assert autoencoder.score(X) > first + 0.05
    with pytest.raises(stackae.InvalidArgument, match="fine-tuned"):
        pictures = X.reshape(-1, 8, 8) / 16
        StackedAutoencoder(stack="conv2d:8:kernel=3, pool2d:2").fit(pictures).partial_fit(pictures)


def test_models_survive_files_and_pickles(digits, tmp_path):
    X = digits[0][:100]
    autoencoder = StackedAutoencoder(stack=(8,), epochs=1).fit(X)
    features = autoencoder.transform(X)
    autoencoder.save(tmp_path / "own.stackae")
    for other in (StackedAutoencoder.load(tmp_path / "own.stackae"), pickle.loads(pickle.dumps(autoencoder))):
        assert np.array_equal(other.transform(X), features)
    with pytest.raises(OSError, match="nowhere.stackae"):
        StackedAutoencoder.load(tmp_path / "nowhere.stackae")
    (tmp_path / "own.stackae").write_bytes(b"no model")
    with pytest.raises(stackae.CorruptFile):
        StackedAutoencoder.load(tmp_path / "own.stackae")


@pytest.mark.parametrize("order", ["gbg", "gb", "bg", "ggggggggb", "bbbg"])
def test_a_picture_that_cannot_be_read_is_a_row_that_is_no_number(samples, tmp_path, order):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    good = sorted((samples / "train" / "3").glob("*.png"))[0]
    files = [good if letter == "g" else tmp_path / "bad.png" for letter in order]
    bad = np.asarray([letter == "b" for letter in order])
    autoencoder = StackedAutoencoder.load("digits")
    with pytest.warns(UserWarning, match="bad.png"):
        features = autoencoder.transform(files)
    assert np.array_equal(np.isnan(features).all(axis=1), bad) and not np.isnan(features[~bad]).any()
    with pytest.warns(UserWarning):
        scores = autoencoder.score_samples(files)
    assert np.array_equal(np.isnan(scores), bad)
    with pytest.warns(UserWarning):
        assert autoencoder.reconstruct(files).shape == (len(files), 28, 28)


def test_pictures_none_of_which_can_be_read_are_an_error(tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match="none of 1 pictures"):
        StackedAutoencoder.load("digits").transform([tmp_path / "bad.png"])
    with pytest.raises(ValueError, match="none of 2 pictures"):
        StackedAutoencoder.load("digits").transform(np.full((2, 784), 255.0))


def test_colours_and_arrays_of_all_kinds(tmp_path):
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (40, 12, 10, 3), dtype=np.uint8)
    autoencoder = StackedAutoencoder(stack=(16,), epochs=1, fine_tune_epochs=1).fit(pictures)
    features = autoencoder.transform(pictures)
    assert autoencoder.n_features_in_ == 360
    assert autoencoder.inverse_transform(features).shape == (40, 12, 10, 3)
    as_words = pictures.astype(np.uint16) * 257
    for other in (np.asfortranarray(pictures), as_words, as_words.astype(">u2"), list(pictures), pictures[::-1][::-1]):
        assert np.allclose(autoencoder.transform(other), features, atol=1e-5)
    flat = StackedAutoencoder(stack=(16,), epochs=1, fine_tune_epochs=1, image_shape=(12, 10, 3))
    assert np.array_equal(flat.fit_transform(pictures.reshape(40, -1)), features)
    assert flat.inverse_transform(features).shape == (40, 360)
    with pytest.raises(ValueError, match="image_shape"):
        flat.fit(pictures.reshape(80, -1))


def test_frames_go_in_and_come_out(digits):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(digits[0][:100], columns=[f"p{i}" for i in range(64)])
    autoencoder = StackedAutoencoder(stack=(8,), epochs=1).set_output(transform="pandas").fit(frame)
    assert list(autoencoder.feature_names_in_) == list(frame.columns)
    assert list(autoencoder.transform(frame).columns) == [f"stackedautoencoder{i}" for i in range(8)]


def test_frames_of_files_are_indexed_by_their_paths(samples):
    pandas = pytest.importorskip("pandas")
    autoencoder = StackedAutoencoder.load("digits").set_output(transform="pandas")
    folder = autoencoder.transform(samples / "recognize")
    assert isinstance(folder, pandas.DataFrame) and folder.shape == (12, 64)
    assert folder.index[0] == str(samples / "recognize/digit-0.png")
    files = [samples / "recognize/star.png", str(samples / "recognize/digit-3.png")]
    some = autoencoder.transform(files)
    assert list(some.index) == [str(file) for file in files]
    assert (some.loc[str(files[1])] == folder.loc[str(files[1])]).all()
    one = autoencoder.transform(files[1])
    assert list(one.index) == [files[1]] and (one == folder.loc[[files[1]]]).all(axis=None)


def test_features_of_length_1_are_neither_decoded_nor_exported(digits, tmp_path):
    X = digits[0][:60]
    autoencoder = StackedAutoencoder(stack=(8,), epochs=1, l2_normalize=True).fit(X)
    assert np.allclose(np.linalg.norm(autoencoder.transform(X), axis=1), 1, atol=1e-5)
    with pytest.raises(ValueError, match="l2_normalize"):
        autoencoder.inverse_transform(autoencoder.transform(X))
    with pytest.raises(ValueError, match="l2_normalize"):
        autoencoder.export_onnx(tmp_path / "own.onnx")


def test_options_that_cannot_be_are_named(digits):
    X = digits[0][:50]
    with pytest.raises(ValueError, match="preset"):
        StackedAutoencoder(preset="nothing").fit(X)
    with pytest.raises(ValueError, match="epochs"):
        StackedAutoencoder(epochs=-1).fit(X)
    with pytest.raises(TypeError, match="epoch"):
        StackedAutoencoder(epoch=1)


def test_one_model_serves_several_threads(digits):
    X = digits[0][:500]
    autoencoder = StackedAutoencoder(stack=(32,), epochs=1, n_jobs=1).fit(X)
    expected = autoencoder.transform(X)
    found = [None] * 4

    def work(i):
        found[i] = [autoencoder.transform(X) for _ in range(5)]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(features, expected) for each in found for features in each)


def test_ctrl_c_ends_a_training():
    code = ("import numpy, stackae, sys\n"
            "print('begun', flush=True)\n"
            "stackae.StackedAutoencoder(stack=(2000, 1000), epochs=100000).fit(numpy.random.rand(5000, 400))")
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "begun\n"
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert "KeyboardInterrupt" in error and process.returncode != 0


def test_a_training_that_was_interrupted_goes_on(tmp_path):
    code = ("import sys, numpy, stackae\n"
            "X = numpy.random.default_rng(0).random((2000, 200))\n"
            "model = stackae.StackedAutoencoder(stack=(400, 100), epochs=12, fine_tune_epochs=0, verbose=1, "
            "checkpoint=sys.argv[1] if len(sys.argv) > 1 else None).fit(X).model_\n"
            "print(model.identity())")
    kept = tmp_path / "kept.ckpt"

    def run(*arguments, interrupt=False):
        process = subprocess.Popen([sys.executable, "-u", "-c", code, *arguments], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        assert "layer 1" in process.stdout.readline()
        if interrupt:
            time.sleep(0.1)
            process.send_signal(signal.SIGINT)
        return process.communicate(timeout=60)[0].strip().split("\n")[-1]

    whole = run()
    assert run(str(kept), interrupt=True) != whole and kept.exists()
    assert run(str(kept)) == whole and not kept.exists()


def test_a_graph_is_written_for_other_programs(digits, tmp_path):
    autoencoder = StackedAutoencoder(stack=(8,), epochs=1).fit(digits[0][:100])
    autoencoder.export_onnx(tmp_path / "own.onnx")
    assert b"stackae.identity" in (tmp_path / "own.onnx").read_bytes()


def test_every_option_of_training_is_a_parameter_with_a_docstring_and_a_type():
    names = set(inspect.signature(StackedAutoencoder).parameters)
    stub = (Path(stackae.__file__).parent / "__init__.pyi").read_text()
    body = stub[stub.index("class StackedAutoencoder"):]
    typed = set(re.findall(r"(\w+):", body[body.index("__init__"):body.index("-> None")])) - {"self"}
    assert typed == names
    for name in names:
        assert re.search(rf"\b{name}\b", StackedAutoencoder.__doc__), name
    assert "fine_tune_epochs" in names
    assert set(clone(StackedAutoencoder(epochs=3)).get_params()) == names


def test_signals_that_are_handled_do_no_harm_to_a_training():
    code = ("import signal, sys, numpy, stackae\n"
            "count = [0]\n"
            "signal.signal(signal.SIGUSR1, lambda *_: count.__setitem__(0, count[0] + 1))\n"
            "X = numpy.random.default_rng(0).random((3000, 400))\n"
            "print('begun', flush=True)\n"
            "model = stackae.StackedAutoencoder(stack=(1500, 700), epochs=2, fine_tune_epochs=0).fit(X).model_\n"
            "signal.signal(signal.SIGUSR1, signal.SIG_IGN)\n"
            "print(count[0], model.identity())")
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "begun\n"
    while process.poll() is None:
        process.send_signal(signal.SIGUSR1)
        time.sleep(0.005)
    output, error = process.communicate()
    assert process.returncode == 0, error
    count, identity = output.split()
    X = np.random.default_rng(0).random((3000, 400))
    expected = StackedAutoencoder(stack=(1500, 700), epochs=2, fine_tune_epochs=0).fit(X).model_.identity()
    assert int(count) > 3 and identity == expected
