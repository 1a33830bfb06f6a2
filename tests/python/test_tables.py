"""Feature tables of `stackae extract`, each opened by its own reader."""

import csv
import json
import os
import subprocess

import faiss
import h5py
import numpy as np
import pytest
from PIL import Image

program = os.environ["STACKAE_PROGRAM"]
names = ["a.png", "b,c.png", "d \"e\".png", "é.png", "日本.png"]


def run(folder, *arguments):
    return subprocess.run([program, *map(str, arguments)], cwd=folder, check=True, capture_output=True, text=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pictures in two folders and beside them, of which the last cannot be read, with all tables of them."""
    folder = tmp_path_factory.mktemp("tables")
    rng = np.random.default_rng(0)
    for place in ("pictures/cat", "pictures/dög", "pictures"):
        (folder / place).mkdir(parents=True, exist_ok=True)
        for name in names:
            Image.fromarray(rng.integers(0, 256, (12, 12), np.uint8)).save(folder / place / name)
    run(folder, "train", "pictures", "--stack", "dense:7", "--epochs", "1", "-o", "m.stackae")
    (folder / "pictures/z.png").write_text("no picture\n")
    done = subprocess.run([program, "extract", "pictures", "-m", "m.stackae", "-o", "t.npy", "--also",
                           "t.npz,t.h5,t.faiss,t.csv,projector/"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 3, done.stderr  # one was skipped
    return folder


@pytest.fixture(scope="module")
def table(folder):
    """Features, paths and labels, from the CSV."""
    with open(folder / "t.csv", newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header[:2] == ["filename", "label"] and len(rows) == 15
    return np.asarray([row[2:] for row in rows], np.float32), [row[0] for row in rows], [row[1] for row in rows]


def test_numpy_reads_arrays_of_an_archive(folder, table):
    features, paths, labels = table
    with np.load(folder / "t.npz", allow_pickle=False) as archive:
        assert sorted(archive) == ["features", "labels", "names"]
        assert archive["features"].dtype == np.float32
        np.testing.assert_array_equal(archive["features"], features)
        assert archive["names"].tolist() == paths
        assert archive["labels"].tolist() == labels
        assert set(labels) == {"cat", "dög", ""}
    np.testing.assert_array_equal(np.load(folder / "t.npy"), features)


def test_an_archive_is_read_back_as_rows_with_names(folder):
    run(folder, "train", "t.npz", "--stack", "dense:3", "--epochs", "1", "-o", "again.stackae")
    told = json.loads(run(folder, "info", "again.stackae", "--json").stdout)
    assert told["layers"][0]["input"] == [1, 7, 1]
    assert told["record"]["pictures"] == 15
    assert {"cat", "dög"} <= set(told["record"]["class_names"])


def test_one_feature_is_a_table_too(folder):
    run(folder, "train", "pictures/cat", "--stack", "dense:1", "--epochs", "1", "-o", "one.stackae")
    run(folder, "extract", "pictures/cat", "-m", "one.stackae", "-o", "single.npz", "--also", "single.h5,single.faiss")
    with np.load(folder / "single.npz") as archive, h5py.File(folder / "single.h5", "r") as file:
        assert archive["features"].shape == (5, 1)
        np.testing.assert_array_equal(file["features"][:], archive["features"])
        assert "labels" not in archive and "labels" not in file
        index = faiss.read_index(str(folder / "single.faiss"))
        np.testing.assert_array_equal(index.reconstruct_n(0, 5), archive["features"])


def test_h5py_reads_datasets(folder, table):
    features, paths, labels = table
    with h5py.File(folder / "t.h5", "r") as file:
        assert sorted(file) == ["features", "labels", "names"]
        assert file["features"].dtype == np.float32
        np.testing.assert_array_equal(file["features"][:], features)
        assert file["names"].asstr()[:].tolist() == paths
        assert file["labels"].asstr()[:].tolist() == labels


def test_faiss_finds_each_row_by_itself(folder, table):
    features, paths, labels = table
    index = faiss.read_index(str(folder / "t.faiss"))
    assert (index.ntotal, index.d, index.metric_type) == (15, 7, faiss.METRIC_L2)
    distances, rows = index.search(features, 2)
    assert rows[:, 0].tolist() == list(range(15)) and (distances[:, 0] == 0).all() and (distances[:, 1] > 0).all()
    with open(folder / "t.faiss.csv", newline="", encoding="utf-8") as file:
        assert [(row["filename"], row["label"]) for row in csv.DictReader(file)] == list(zip(paths, labels))


def test_the_projector_has_thumbnails_of_its_rows(folder, table):
    features, paths, labels = table
    config = json.loads((folder / "projector/projector_config.json").read_text())["embeddings"][0]
    assert config["tensorShape"] == [15, 7]
    vectors = np.loadtxt(folder / "projector" / config["tensorPath"], delimiter="\t", dtype=np.float32)
    np.testing.assert_array_equal(vectors, features)
    lines = (folder / "projector" / config["metadataPath"]).read_text(encoding="utf-8").splitlines()
    assert lines == ["filename\tlabel", *(f"{path}\t{label}" for path, label in zip(paths, labels))]
    sheet = np.asarray(Image.open(folder / "projector" / config["sprite"]["imagePath"]))
    side, other = config["sprite"]["singleImageDim"]
    assert side == other and sheet.shape == (4 * side, 4 * side, 3)  # 15 in a square
    for i, path in enumerate(paths):
        thumbnail = sheet[i // 4 * side:(i // 4 + 1) * side, i % 4 * side:(i % 4 + 1) * side, 0].astype(float)
        like = np.asarray(Image.open(folder / path).resize((side, side), Image.BILINEAR)).astype(float)
        assert np.abs(thumbnail - like).mean() < 8, path
    assert (sheet[3 * side:, 3 * side:] == 255).all()


def test_bytes_tell_of_the_content_alone(folder):
    run_again = ["extract", "pictures/cat", "-m", "m.stackae", "--quiet", "-o"]
    for name in ("one.npz", "one.h5", "one.faiss", "one.parquet"):
        run(folder, *run_again, name)
        first = (folder / name).read_bytes()
        run(folder, *run_again, name)
        assert (folder / name).read_bytes() == first, name


def test_users_of_a_table_are_rows(folder):
    (folder / "shop.csv").write_text("user,item\n" + "".join(f"u{i},i{j}\n" for i in range(9) for j in range(i % 3 + 1)))
    run(folder, "train", "shop.csv", "-o", "shop.stackae")
    run(folder, "extract", "-m", "shop.stackae", "-o", "users.h5", "--also", "users.npz")
    with h5py.File(folder / "users.h5", "r") as file, np.load(folder / "users.npz") as archive:
        assert file["names"].asstr()[:].tolist() == archive["names"].tolist() == [f"u{i}" for i in range(9)]
        np.testing.assert_array_equal(file["features"][:], archive["features"])
        assert sorted(file) == ["features", "names"]
