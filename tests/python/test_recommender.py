"""Recommendations."""

import pickle

import numpy as np
import pytest
from scipy import sparse

from stackae import Recommender


@pytest.fixture(scope="module")
def table():
    """Two tastes: users of even numbers take items of even numbers."""
    random = np.random.default_rng(0)
    users = np.arange(200)[:, None]
    items = np.arange(20)[None, :]
    return ((users % 2 == items % 2) & (random.random((200, 20)) < 0.6)).astype(np.float32)


def test_people_are_recommended_what_others_of_their_taste_have(table):
    recommender = Recommender().fit(sparse.csr_matrix(table))
    items, scores = recommender.recommend(top=3)
    assert np.mean([int(row[0]) % 2 == user % 2 for user, row in enumerate(items)]) > 0.95
    assert items.shape == scores.shape == (200, 3)
    own = items != None  # noqa: E711
    assert not any(table[user, int(item)] for user, row in enumerate(items) for item in row if item is not None)
    assert np.all(np.diff(scores, axis=1)[own[:, 1:]] <= 0)
    assert int(recommender.similar_items("4", top=1)[0][0]) % 2 == 0
    assert recommender.predict().shape == (200, 20)
    assert recommender.item_features().shape[0] == 20 and recommender.transform().shape[0] == 200


def test_users_who_are_new_are_recommended_to(table):
    recommender = Recommender(stack="edlae").fit(table, items=[f"i{i}" for i in range(20)])
    row = np.zeros((1, 20), np.float32)
    row[0, [2, 4]] = 1
    by_row = recommender.recommend(row, top=2)[0]
    by_names = recommender.recommend([("eve", "i2"), ("eve", "i4")], top=2)[0]
    assert np.array_equal(by_row, by_names)
    assert all(int(item[1:]) % 2 == 0 for item in by_row[0])


def test_tables_of_all_kinds_are_the_same(table, tmp_path):
    pandas = pytest.importorskip("pandas")
    taken = [(f"u{user}", f"i{item}") for user, item in zip(*np.nonzero(table))]
    (tmp_path / "table.csv").write_text("user,item\n" + "\n".join(",".join(pair) for pair in taken) + "\n")
    made = [Recommender(stack="edlae").fit(X).model_.identity()
            for X in (taken, tmp_path / "table.csv", pandas.DataFrame(taken, columns=["user", "item"]))]
    assert made[0] == made[1] == made[2]


def test_values_in_memory_count_as_in_files(tmp_path):
    pandas = pytest.importorskip("pandas")
    taken = [(f"u{i % 9}", f"i{i % 5}", (i % 4) - 1) for i in range(60)] + [("u0", "i1", 6), ("u0", "i1", -6)]
    frame = pandas.DataFrame(taken, columns=["user", "item", "value"])
    frame.to_csv(tmp_path / "table.csv", index=False)
    for value in ("binary", "log", "raw"):
        made = [Recommender(stack="edlae", value=value).fit(X).model_.identity() for X in (frame, tmp_path / "table.csv")]
        assert made[0] == made[1], value
    with pytest.raises(ValueError, match="value"):
        Recommender(value="some").fit(taken)
    with pytest.raises(ValueError, match="columns"):
        Recommender().fit(pandas.DataFrame(np.ones((4, 6))))


def test_ratings_are_learnt_as_they_are():
    random = np.random.default_rng(0)
    ratings = [(f"u{i}", f"i{j}", float(1 + (i + j) % 5)) for i in range(40) for j in range(12) if random.random() < 0.7]
    recommender = Recommender(preset="autorec", epochs=2).fit(ratings)
    assert recommender._table.value_mode == "raw"
    assert Recommender(stack="edlae").fit(ratings)._table.value_mode == "binary"


def test_users_are_named_by_numbers_too(table):
    recommender = Recommender(stack="edlae").fit(table)
    assert np.array_equal(recommender.recommend([5, 7])[0], recommender.recommend(["5", "7"])[0])
    assert np.array_equal(recommender.recommend(5)[0], recommender.recommend("5")[0])


def test_models_survive_files_and_pickles(table, tmp_path):
    recommender = Recommender(stack="edlae").fit(table)
    recommender.save(tmp_path / "own.stackae")
    for other in (Recommender.load(tmp_path / "own.stackae"), pickle.loads(pickle.dumps(recommender))):
        assert np.array_equal(other.predict(), recommender.predict())
        assert other.users_ == recommender.users_
    recommender.export_onnx(tmp_path / "own.onnx")
    assert b"stackae.columns" in (tmp_path / "own.onnx").read_bytes()


def test_who_is_not_known_is_named(table):
    with pytest.raises(ValueError, match="'nobody'"):
        Recommender(stack="edlae").fit(table).recommend(["nobody"])
    with pytest.raises(ValueError, match="items: 3 names found, 20 expected"):
        Recommender().fit(table, items=["a", "b", "c"])
