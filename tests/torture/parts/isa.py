"""One model on processors with AVX2 and with AVX-512, which oneDNN is told to take itself for: codes, and names by
nearest neighbours. Models that are trained on either: the accuracies of their codes."""
import json

import numpy as np

from ..digits import digits
from ..harness import Figure, say

ISAS = ("AVX2", "AVX512_CORE", "DEFAULT")
TRAINED = 10_000
TESTED = 10_000
STACKS = {
    "dense": ["--layers", "300,64", "--epochs", 3, "--fine-tune", 3],
    "conv": ["--convolutions", "128@5:pool=2,512@3:grid=2", "--code-size", 128, "--patches", 50_000, "--nystroem", 0],
    "bfloat16": ["--convolutions", "128@5:pool=2,512@2:grid=2:precision=bfloat16", "--code-size", 128, "--patches", 50_000,
                 "--nystroem", 0],
}
MAX_DEVIATION = {"dense": 1e-4, "conv": 1e-4, "bfloat16": 5e-3}
MAX_POINTS = 0.2


def on(isa):
    return {"ONEDNN_MAX_CPU_ISA": isa}


def codes(setup, folder, model, data, isa):
    table = folder / "codes.npy"
    setup.must("extract", data, "-m", model, "-o", table, "-q", env=on(isa), timeout=1200)
    return np.load(table)


def largest_deviation(found):
    """Between any two, over each feature's standard deviation."""
    deviation = np.maximum(found[0].std(axis=0, dtype=np.float64), 1e-12)
    return max(float((np.abs(a.astype(np.float64) - b) / deviation).max()) for a in found for b in found)


def names(setup, folder, model, train, test, isa):
    """What each test picture is called."""
    gallery = folder / "digits.gallery"
    setup.must("enroll", train, "-o", gallery, "-m", model, "-q", env=on(isa), timeout=1200)
    table = setup.must("recognize", test, "-g", gallery, "-m", model, "--threshold", "inf", "--k", 5, "-q", env=on(isa),
                       timeout=1200).out.decode()
    return [line.split(",")[1] for line in table.splitlines()[1:]]


def accuracy(setup, model, train, test, isa):
    """By nearest neighbours, in percent."""
    found = setup.must("evaluate", train, test, "-m", model, "--json", "-q", env=on(isa), timeout=1200).out
    return 100.0 * json.loads(found)["knn"]["accuracy"]


def one_model(setup, folder, model, train, test):
    """The figures of a model on every ISA."""
    tables = {isa: codes(setup, folder, model, test, isa) for isa in ISAS}
    worst = largest_deviation(list(tables.values()))
    by_isa = {isa: names(setup, folder, model, train, test, isa) for isa in ISAS}
    differ = sum(len({by_isa[isa][i] for isa in ISAS}) > 1 for i in range(len(by_isa["AVX2"])))
    return worst, differ, len(by_isa["AVX2"])


def run(setup):
    folder = setup.folder("isa")
    train = digits("train", setup.count(TRAINED), folder)
    test = digits("t10k", setup.count(TESTED), folder)
    if train is None or test is None:
        return [Figure("AVX2 beside AVX-512", "the same to rounding", "STACKAE_DATA has no MNIST", None)]
    figures = []
    for name, words in STACKS.items():
        accuracies = {}
        models = {}
        for isa in ISAS:
            models[isa] = folder / f"{name}_{isa}.stackae"
            setup.must("train", train, "-o", models[isa], *words, "--no-comparison", "-q", env=on(isa), timeout=3600)
            accuracies[isa] = accuracy(setup, models[isa], train, test, isa)
            say(f"  {name}, trained on {isa}: {accuracies[isa]:.2f} %")
        worst, differ, of = one_model(setup, folder, models["AVX512_CORE"], train, test)
        apart = max(accuracies.values()) - min(accuracies.values())
        figures += [
            Figure(f"{name}: codes by AVX2 and AVX-512, over each feature's deviation",
                   f"≤ {MAX_DEVIATION[name]:g}", f"{worst:.1e}", worst <= MAX_DEVIATION[name]),
            Figure(f"{name}: names by AVX2 and AVX-512", "the same", f"{of - differ} of {of} the same", differ == 0),
            Figure(f"{name}: accuracy, trained by AVX2 and AVX-512", f"≤ {MAX_POINTS} points apart", f"{apart:.2f}",
                   apart <= MAX_POINTS),
        ]
    return figures
