"""Everything that stackae writes, twice: an old content and a new one, for the parts that break writing off."""
import csv
import dataclasses
import json
import pathlib
import re
import shutil
import struct
from typing import Callable

import numpy as np

from .harness import contents, tiny_training, write_people


@dataclasses.dataclass
class Writer:
    """words(folder, 0) makes the old content of `outputs` in a folder, words(folder, 1) the new one."""
    name: str
    outputs: list
    words: Callable
    needs_old: bool = False      # the new content is made out of the old
    model: str = ""              # an output that is never the same twice; it is told by its identity
    streams: tuple = ()          # outputs that grow as the run goes on, and are never whole before its end
    paired: bool = True          # all outputs have to be of the same generation
    check: Callable = None       # a check of its own between outputs: (folder) -> what is wrong, or None


def write_idx(folder, name, pictures, labels):
    """IDX pictures and their labels, as MNIST has them."""
    n, height, width = pictures.shape
    path = folder / f"{name}-images-idx3-ubyte"
    path.write_bytes(struct.pack(">IIII", 0x803, n, height, width) + pictures.tobytes())
    (folder / f"{name}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, n) + labels.tobytes())
    return path


def rows_alike(folder):
    """The rows of table.npy and of the names beside it."""
    rows = np.load(folder / "table.npy").shape[0]
    with open(folder / "table.npy.csv", newline="", encoding="utf-8") as file:
        names = len(list(csv.reader(file))) - 1
    return None if rows == names else f"{rows} rows in table.npy, {names} names beside it"


def all_writers(setup, pictures):
    """pictures: of the old content; the new content has a third more."""
    inputs = setup.folder("inputs")
    numbers = np.random.default_rng(7)
    sets = []
    for generation, n in enumerate((pictures, pictures + pictures // 3)):
        pixels = numbers.integers(0, 256, (n, 8, 8), dtype=np.uint8)
        labels = (np.arange(n) % 5 + generation).astype(np.uint8)
        sets.append(write_idx(inputs, ("old", "new")[generation], pixels, labels))
    few = [write_idx(inputs, f"few{g}", numbers.integers(0, 256, (40 + 10 * g, 8, 8), dtype=np.uint8),
                     np.arange(40 + 10 * g, dtype=np.uint8) % 4) for g in (0, 1)]
    people = [inputs / "people", inputs / "more-people"]
    for folder, names in zip(people, (["anna", "ben", "carl"], ["anna", "dora"])):
        write_people(folder, names, pictures // 3, numbers)
    model = setup.model()
    gallery = inputs / "people.gallery"
    setup.must("enroll", sets[0], "-m", model, "-o", gallery, "-q")
    quiet = ["-j", 1, "-q"]
    other = inputs / "other.stackae"
    setup.must("train", few[0], "-o", other, *tiny_training(5), "--no-comparison", "-q")

    def train(folder, generation, *more):
        return ["train", few[generation], "-o", folder / "out.stackae", *tiny_training(300), "--seed", generation,
                "--no-comparison", "-q", *more]

    def side_files(folder, generation):
        return train(folder, generation, "--log", folder / "log.jsonl", "--manifest", folder / "pictures.csv")

    def enroll(folder, generation, *more):
        return ["enroll", sets[generation], "-m", model, "-o", folder / "people.gallery", *quiet, *more]

    def append(folder, generation):
        return enroll(folder, generation, *(["--append"] if generation else []))

    def remove(folder, generation):
        return ["enroll", "--remove", "2", "-o", folder / "people.gallery", "-q"] if generation else enroll(folder, 0)

    def rebuild(folder, generation):
        gallery = folder / "people.gallery"
        return ["enroll", "--rebuild", gallery, "-m", other, *quiet] if generation else enroll(folder, 0)

    def extract(output, *more):
        return lambda folder, generation: ["extract", sets[generation], "-m", model, "-o", folder / output, *quiet,
                                           *(folder / word if word == "pictures.csv" else word for word in more)]

    def libsvm(folder, generation):
        return ["extract", people[generation], "-m", model, "-o", folder / "table.libsvm", *quiet]

    def recognize(folder, generation, *more):
        return ["recognize", sets[generation], "-g", gallery, "-m", model, "-o", folder / "names.csv", *quiet, *more]

    def reconstruct(folder, generation):
        return ["reconstruct", sets[generation], "-m", model, "-o", folder / "out.png", "--limit", 1000,
                "--columns", 25, "--scale", 1, *quiet]

    def filters(folder, generation):
        return ["info", model, "--filters", folder / "out.png", "--pictures", sets[generation], "-q"]

    return [
        Writer("model", ["out.stackae"], train, model="out.stackae"),
        Writer("model with log and manifest", ["out.stackae", "log.jsonl", "pictures.csv"], side_files,
               model="out.stackae", streams=("log.jsonl",), paired=False),
        Writer("gallery", ["people.gallery"], enroll),
        Writer("gallery, --append", ["people.gallery"], append, needs_old=True),
        Writer("gallery, --remove", ["people.gallery"], remove, needs_old=True),
        Writer("gallery, --rebuild", ["people.gallery"], rebuild, needs_old=True),
        Writer("csv", ["table.csv"], extract("table.csv")),
        Writer("csv and manifest", ["table.csv", "pictures.csv"], extract("table.csv", "--manifest", "pictures.csv")),
        Writer("npy", ["table.npy", "table.npy.csv"], extract("table.npy"), check=rows_alike),
        Writer("npy and manifest", ["table.npy", "table.npy.csv", "pictures.csv"],
               extract("table.npy", "--manifest", "pictures.csv"), check=rows_alike),
        Writer("libsvm", ["table.libsvm", "table.classes"], libsvm),
        Writer("projector", ["projector/tensors.tsv", "projector/metadata.tsv"],
               extract("projector", "--format", "projector")),
        Writer("jsonl", ["table.jsonl"], extract("table.jsonl")),
        Writer("recognize -o", ["names.csv"], recognize),
        Writer("reconstruct -o, a PNG", ["out.png"], reconstruct),
        Writer("info --filters, a PNG", ["out.png"], filters),
    ]


class Stage:
    """A folder in which a writer's old content lies, and which says what became of it."""

    def __init__(self, setup, writer, folder):
        """folder: is made empty for each try; the names of the reference files say the same folder."""
        self.setup = setup
        self.writer = writer
        self.folder = folder
        self.kept = setup.folder("kept-old")
        self.states = []
        self._clear()
        for generation in (0, 1):
            if generation == 1 and not writer.needs_old:
                self._clear()
            setup.must(*writer.words(folder, generation))
            self.states.append(self.fingerprints())
            if generation == 0:
                shutil.copytree(folder, self.kept, dirs_exist_ok=True)
            missing = [name for name in writer.outputs if name not in self.states[generation]]
            if missing:
                raise RuntimeError(f"{writer.name}: {missing} not written")
        self.names = set(contents(folder))
        self.bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

    def _clear(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def reset(self, with_old=True):
        self._clear()
        if with_old:
            shutil.copytree(self.kept, self.folder, dirs_exist_ok=True)

    def fingerprints(self):
        """Of each output that is there: what tells one content from another."""
        found = {}
        for name, digest in contents(self.folder).items():
            if name not in self.writer.outputs:
                continue
            if name == self.writer.model:
                digest = self.identity(self.folder / name)
            found[name] = "" if name in self.writer.streams else digest
        return found

    def generations(self, with_old=True):
        """Of each output: "old", "new", "none", or "broken" where it is neither."""
        found = self.fingerprints()
        result = {}
        for name in self.writer.outputs:
            if name in self.writer.streams:
                continue
            content = found.get(name)
            if content is None:
                result[name] = "broken" if with_old else "none"
            elif with_old and content == self.states[0][name]:
                result[name] = "old"
            else:
                result[name] = "new" if content == self.states[1][name] else "broken"
        return result

    def next_run(self):
        """Another run that writes into the folder of the outputs; a run that was broken off may need one to be settled."""
        settled = (self.folder / self.writer.outputs[0]).parent / "settled.csv"
        settled.parent.mkdir(exist_ok=True)
        picture = next((self.setup.scratch / "tiny-pictures").rglob("*.png"))
        ended = self.setup.run("extract", picture, "-m", self.setup.model(), "-o", settled, "-j", 1, "-q")
        settled.unlink(missing_ok=True)
        return ended

    def identity(self, model):
        """What tells one trained model from another."""
        ended = self.setup.run("info", model, "--json")
        return json.loads(ended.out)["identity"] if ended.code == 0 else f"broken: {ended.err.strip()}"

    def kept_model(self, err):
        """The name of the new model, whole, that a run whose own place failed says it has kept in the folder."""
        said = re.search(r"the model is in (.+) instead", err)
        kept = pathlib.Path(said[1]) if said and self.writer.model else None
        if not kept or kept.parent != self.folder or self.identity(kept) != self.states[1][self.writer.model]:
            return set()
        return {kept.name}

    def checkpoint(self):
        """The name of the file that a training may leave which did not come to its end, where there is one."""
        name = f"{self.writer.model}.ckpt"
        return {name} if self.writer.model and (self.folder / name).exists() else set()

    def left_behind(self, err=""):
        """Files that are no outputs, hidden ones too. err: of the run, which may name a model that it kept."""
        return sorted(set(contents(self.folder)) - self.names - self.kept_model(err) - self.checkpoint())

    def wrong_pair(self, with_old=True):
        """What is wrong between the outputs, or None."""
        generations = self.generations(with_old)
        if self.writer.paired and len(set(generations.values())) > 1:
            return f"{generations}"
        if self.writer.check and "none" not in generations.values():
            return self.writer.check(self.folder)
        return None
