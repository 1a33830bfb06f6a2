"""The examples run, and say what they should."""

import re
import subprocess
import sys

import pytest
from conftest import root

samples = root / "sample_images"
examples = {
    "features_for_a_classifier.py": ([], r"32 features: 0\.9\d+ right"),
    "name_pictures.py": ([samples / "train", samples / "recognize"], r"unknown at [0-9.]+, nearest \d"),
    "find_odd.py": ([samples / "train" / "3", samples / "recognize"], r"odd at \d+, \d+"),
    "recommend.py": ([], r"bob: bread  cid: nuts\nlike tea: "),
    "rebuild_and_export.py": ([samples / "train", "OUT"], r"16 features each, error 0\.0\d+\nthe same after loading"),
}


@pytest.mark.parametrize("name", examples)
def test_example(name, tmp_path):
    arguments, expected = examples[name]
    arguments = [tmp_path if each == "OUT" else each for each in arguments]
    ran = subprocess.run([sys.executable, root / "examples" / "python" / name, *arguments], capture_output=True, text=True,
                         timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert re.search(expected, ran.stdout), ran.stdout


def test_every_example_is_tried():
    assert {path.name for path in (root / "examples" / "python").glob("*.py")} == set(examples)
