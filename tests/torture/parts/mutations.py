"""Mutated pictures of every format, between whole ones that must not be moved: read in large lists by `extract`."""
import csv
import re

import numpy as np

from ..harness import Faults, Figure, first_line, say
from ..pictures import every_kind

MUTATIONS = 20_000
A_RUN = 2_000
WHOLE_EVERY = 10
TIMEOUT = 300  # seconds a run
MAX_MIB = 4096
EXTREMES = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
OURS = re.compile(r"stackae: |note: ")


def flip_bits(data, _, numbers):
    data = bytearray(data)
    for _ in range(numbers.choice((1, 1, 2, 4, 16))):
        data[numbers.randrange(len(data))] ^= 1 << numbers.randrange(8)
    return data


def cut(data, _, numbers):
    return data[:numbers.randrange(len(data))]


def cut_out(data, _, numbers):
    begin = numbers.randrange(len(data))
    return data[:begin] + data[begin + numbers.randint(1, 32):]


def double(data, _, numbers):
    begin = numbers.randrange(len(data))
    end = begin + numbers.randint(1, 64)
    return data[:end] + data[begin:]


def splice(data, other, numbers):
    return data[:numbers.randrange(len(data))] + other[numbers.randrange(len(other)):]


def change_field(data, _, numbers):
    """A number of the header becomes an extreme, in either byte order."""
    data = bytearray(data)
    for _ in range(numbers.choice((1, 1, 2))):
        width = numbers.choice((1, 2, 4))
        value = numbers.choice(EXTREMES) & (256**width - 1)
        at = numbers.randrange(min(len(data), numbers.choice((32, 64, 256))))
        data[at:at + width] = value.to_bytes(width, numbers.choice(("little", "big")))
    return data


def noise(data, _, numbers):
    data = bytearray(data)
    begin = numbers.randrange(len(data))
    for at in range(begin, min(len(data), begin + numbers.randint(1, 40))):
        data[at] = numbers.randrange(256)
    return data


MUTATORS = (flip_bits, flip_bits, cut, cut_out, double, splice, change_field, change_field, noise)


def whole_features(setup, folder, paths, options):
    """The features of each whole picture by itself, and whether it has them."""
    listed = folder / "whole.txt"
    listed.write_text("".join(f"{path}\n" for path in paths))
    ended = setup.run("extract", listed, "-m", setup.model(), "-o", folder / "whole.npy", "--manifest",
                      folder / "whole.csv", "-j", 2, "-q", *options)
    if ended.code not in (0, 3):
        raise RuntimeError(f"the whole pictures gave {ended.code}: {ended.err}")
    rows = np.load(folder / "whole.npy")
    return {path: rows[int(line["row"])] for path, line in by_path(manifest(folder / "whole.csv")).items()
            if line["status"] == "ok"}


def manifest(path):
    """Its lines, in order."""
    with open(path, newline="", encoding="utf-8", errors="backslashreplace") as file:
        return list(csv.DictReader(file))


def by_path(lines):
    """Of a file of several pages, the first page's line."""
    found = {}
    for line in lines:
        found.setdefault(re.sub(r"#\d+$", "", line["path"]), line)
    return found


def judge(ended, listed, folder, features, faults, what):
    """Returns how many pictures were skipped."""
    if ended.hung:
        faults["hung"].add(f"{what}: not done after {TIMEOUT} s")
        return 0
    if ended.code not in (0, 3):
        faults["crashed"].add(f"{what}: exit code {ended.code}: {ended.err[-300:]}")
        return 0
    for line in ended.err.splitlines():
        if not OURS.match(line):
            faults["lines"].add(f"{what}: {line[:200]}")
    written = manifest(folder / "all.csv")
    if "\\x" in "".join(line["reason"] for line in written):
        faults["lines"].add(f"{what}: the manifest is not UTF-8")
    lines = by_path(written)
    rows = np.load(folder / "all.npy")
    missing = [path for path in listed if path not in lines]
    if missing:
        faults["shifted"].add(f"{what}: {len(missing)} not in the manifest: {missing[0]}")
    numbers = [int(line["row"]) for line in written if line["status"] == "ok"]
    if numbers != list(range(len(rows))):
        faults["shifted"].add(f"{what}: {len(rows)} rows, {len(numbers)} pictures that are ok")
        return 0
    if not np.isfinite(rows).all():
        faults["shifted"].add(f"{what}: a feature is not a finite number")
    for path, wanted in features.items():
        line = lines.get(path)
        if line is None or line["status"] != "ok" or np.abs(rows[int(line["row"])] - wanted).max() > 1e-5:
            faults["shifted"].add(f"{what}: a whole picture has other features: {path}: {line}")
            break
    return sum(line["status"] != "ok" for line in lines.values())


def run(setup):
    numbers = setup.random("mutations")
    folder = setup.folder("mutations")
    options = ["--pages", "first"] if setup.has_option("extract", "pages") else []
    kinds = list(every_kind(setup.seed, setup.folder("made")))
    whole = []
    for i, known in enumerate(kinds):
        path = folder / f"whole{i}-{known.name}"
        path.write_bytes(known.data)
        whole.append(str(path))
    features = whole_features(setup, folder, whole, options)
    by_format = {}
    for known in kinds:
        by_format.setdefault(known.name.rsplit(".", 1)[1], []).append(known.data)
    say(f"  {len(kinds)} pictures of {len(by_format)} formats, {len(features)} of them read")
    readable = sorted(features)
    total = setup.count(MUTATIONS)
    faults = {kind: Faults() for kind in ("crashed", "hung", "shifted", "lines")}
    skipped = 0
    peak = 0.0
    formats = sorted(by_format)
    for first in range(0, total, A_RUN):
        listed = []
        run_folder = setup.folder("run")
        for i in range(first, min(total, first + A_RUN)):
            ending = formats[i % len(formats)]
            data = numbers.choice(by_format[ending])
            mutated = numbers.choice(MUTATORS)(data, numbers.choice(by_format[ending]), numbers)
            path = run_folder / f"{i:06}.{ending}"
            path.write_bytes(bytes(mutated))
            listed.append(str(path))
            if i % WHOLE_EVERY == 0:
                listed.append(numbers.choice(readable))
        (run_folder / "all.txt").write_text("".join(f"{path}\n" for path in listed))
        ended = setup.run("extract", run_folder / "all.txt", "-m", setup.model(), "-o", run_folder / "all.npy", "--manifest",
                          run_folder / "all.csv", "-j", 2, "-q", *options, timeout=TIMEOUT)
        here = {path: features[path] for path in listed if path in features}
        what = f"mutations {first} to {first + A_RUN - 1}"
        skipped += judge(ended, listed, run_folder, here, faults, what)
        peak = max(peak, ended.peak_mib)
        say(f"  {min(total, first + A_RUN)} of {total}: {skipped} skipped, {ended.peak_mib:.0f} MiB"
            f"{'' if ended.code in (0, 3) else ', ' + first_line(ended.err)}")
    measured = ", ".join(f"{fault.count} {kind}" for kind, fault in
                         zip(("crashes", "hangs", "rows shifted", "foreign lines"), faults.values()))
    return [Figure("mutated pictures of every format", f"{total}: no crash, hang, row shifted, foreign line",
                   f"{total} of {len(formats)} formats: {measured}", not any(fault.count for fault in faults.values())),
            Figure("memory of a run over them", f"below {MAX_MIB} MiB", f"{peak:.0f} MiB", peak < MAX_MIB)]
