"""What the parts share: figures, the program under test, and small pictures, models and folders."""
import dataclasses
import hashlib
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

import numpy as np
from PIL import Image

SHOWN_FAULTS = 40  # of each figure; the rest are counted


@dataclasses.dataclass
class Figure:
    """One line of the table at the end."""
    what: str
    wanted: str
    measured: str
    passed: bool | None  # None: it cannot be measured here


@dataclasses.dataclass
class Ended:
    """How a run of the program ended."""
    command: list
    code: int  # of the exit; below 0: the signal that ended it
    out: bytes
    err: str
    peak_mib: float
    hung: bool = False  # it was ended since its time was over

    @property
    def ended_badly(self):
        return self.hung or self.code < 0 or self.code > 128


class Faults:
    """What went against a promise, told as it is found."""

    def __init__(self):
        self.count = 0

    def add(self, text):
        self.count += 1
        if self.count <= SHOWN_FAULTS:
            say(f"  FAULT: {text}")
        elif self.count == SHOWN_FAULTS + 1:
            say("  more faults follow, which are only counted")


def say(text):
    print(text, flush=True)


def first_line(text):
    return (text.strip().splitlines() or [""])[0]


class Setup:
    """What a part is run with. `scale` multiplies every count; the counts, not the clock, bound a part."""

    def __init__(self, *, root, build, seed, scale, collections, scratch, memory):
        self.root = pathlib.Path(root)
        self.build = pathlib.Path(build).resolve()
        self.program = str(self.build / "stackae")
        self.seed = seed
        self.scale = scale
        self.collections = [pathlib.Path(folder).resolve() for folder in collections]
        self.scratch = pathlib.Path(scratch)
        self.memory = pathlib.Path(memory)

    def count(self, full):
        return max(1, round(full * self.scale))

    def random(self, name):
        """Numbers of a part's own, so that a part alone repeats what it did among the others."""
        return random.Random(f"{self.seed} {name}")

    def folder(self, name, in_memory=False):
        """An empty folder of that name. in_memory: where files are synced at no cost, if there is such a place."""
        path = (self.memory if in_memory else self.scratch) / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def start(self, *words, env=None, **options):
        return subprocess.Popen([self.program, *map(str, words)], stdin=subprocess.DEVNULL,
                                env={**os.environ, **(env or {})}, **options)

    def run(self, *words, timeout=120, env=None, cwd=None, kill_after=None):
        """Runs the program to its end. kill_after: seconds after which SIGKILL is meant to come."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = self.start(*words, env=env, cwd=cwd, stdout=out, stderr=err)
            over = threading.Event()

            def stop():
                over.set()
                try:  # Popen.kill() would take the status that wait4() is after
                    os.kill(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass

            timer = threading.Timer(timeout if kill_after is None else kill_after, stop)
            timer.start()
            _, status, usage = os.wait4(process.pid, 0)
            timer.cancel()
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            return Ended([self.program, *map(str, words)], process.returncode, out.read(),
                         err.read().decode("utf-8", "backslashreplace"), usage.ru_maxrss / 1024,
                         hung=over.is_set() and kill_after is None)

    def must(self, *words, **options):
        """Runs what has to work before anything can be measured."""
        ended = self.run(*words, **options)
        if ended.code != 0:
            sys.exit(f"torture: {' '.join(ended.command)}: exit code {ended.code}: {ended.err}")
        return ended

    def has_option(self, command, option):
        return f"--{option}" in self.run(command, "--help").out.decode()

    def compiled(self, name, *flags):
        """The path of what gcc makes of the C source of this folder."""
        source = pathlib.Path(__file__).parent / name
        target = self.scratch / source.stem
        if not target.exists():
            subprocess.run(["gcc", "-O1", "-Wall", *flags, "-o", target, source, "-ldl"], check=True)
        return target

    def model(self):
        """A model of gray pictures of 8 × 8 pixels with a code of 4 numbers."""
        path = self.scratch / "tiny.stackae"
        if not path.exists():
            pictures = self.folder("tiny-pictures")
            write_people(pictures, "abc", 5, np.random.default_rng(0))
            self.must("train", pictures, "-o", path, *tiny_training(4), "-q")
        return path


class Decoder:
    """Whole pictures as stackae decodes them, by the program `decode_pictures`."""

    def __init__(self, setup):
        self._command = [setup.build / "decode_pictures"]
        self._process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stop()

    def _stop(self):
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def pixels(self, path, timeout=60):
        """h × w × c floats in [0, 1], or the line by which the picture was refused. Raises RuntimeError where the
        program ended or hung."""
        if self._process is None:
            self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        timer = threading.Timer(timeout, self._process.kill)
        timer.start()
        try:
            self._process.stdin.write(os.fsencode(path) + b"\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
            if line.startswith(b"! "):
                return line[2:].decode("utf-8", "backslashreplace").strip()
            width, height, channels = map(int, line.split())
            data = self._process.stdout.read(4 * width * height * channels)
            return np.frombuffer(data, dtype=np.float32).reshape(height, width, channels)
        except (ValueError, OSError):
            self._stop()
            raise RuntimeError(f"{path}: the decoder ended or hung") from None
        finally:
            timer.cancel()


def tiny_training(units):
    return ["--layers", units, "--epochs", 1, "--fine-tune", 0, "--img-size", "8x8", "--channels", "gray", "-j", 1]


def write_people(folder, names, pictures, random_numbers, side=8):
    """A folder a name, with gray pictures of noise."""
    for name in names:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(pictures):
            pixels = random_numbers.integers(0, 256, (side, side), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{i:04}.png")


def contents(folder):
    """Of every file of a folder, by its name: the digest of its bytes, and whether it is a folder."""
    found = {}
    for path in sorted(pathlib.Path(folder).rglob("*")):
        name = str(path.relative_to(folder))
        found[name] = "folder" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()
    return found
