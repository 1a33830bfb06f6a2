"""Other people's test pictures: what stackae makes of each, beside Pillow, ImageMagick and the tools of the
formats' libraries. A picture is judged by the reading that is nearest. known_differences.txt names those where stackae means to differ, and why."""
import fnmatch
import pathlib

import numpy as np

from ..harness import Decoder, Faults, Figure, say
from ..pictures import rgb
from ..references import by_imagemagick, by_own_tool, by_pillow

STEP = 1 / 255
REASONS = pathlib.Path(__file__).parent.parent / "known_differences.txt"
OUTCOMES = ("equal", "within a step", "different", "refused by all", "refused by us alone", "read by us alone")


def reasons():
    """(pattern of a path, outcome, reason) of each line."""
    found = []
    for line in REASONS.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            pattern, outcome, reason = (part.strip() for part in line.split("\t"))
            if outcome not in OUTCOMES:
                raise ValueError(f"{REASONS}: outcome '{outcome}' found, one of {', '.join(OUTCOMES)} expected")
            found.append((pattern, outcome, reason))
    return found


def distance(ours, theirs):
    """Largest difference of a value; 2 where the sizes differ, or a value is no number."""
    if ours.shape[:2] != theirs.shape[:2]:
        return 2.0
    return float(np.nan_to_num(np.abs(rgb(ours) - theirs), nan=2.0).max(initial=0.0))


def compare(decoder, path):
    """The outcome, and what there is to say of it."""
    try:
        ours = decoder.pixels(path)
    except RuntimeError as error:
        return "crashed", str(error)
    refused = isinstance(ours, str)
    said = []
    nearest = None
    clean = False  # somebody reads it and finds nothing wrong
    for name, read in (("Pillow", by_pillow), ("the format's own tool", by_own_tool), ("ImageMagick", by_imagemagick)):
        theirs = read(path)
        if theirs.pixels is None:
            said.append(f"{name} refuses it ({theirs.refusal[:80]})")
            continue
        clean = clean or not theirs.warning
        if theirs.warning:
            said.append(f"{name} warns ({theirs.warning[:80]})")
        if not refused:
            away = distance(ours, theirs.pixels)
            said.append(f"{name} differs by {away:.4f}" if away <= 1 else f"{name} has another size")
            nearest = away if nearest is None else min(nearest, away)
            if nearest <= STEP:
                break
        elif clean:
            break
    text = "; ".join(said)
    if refused:
        return ("refused by us alone" if clean else "refused by all"), f"{ours}; {text}"
    if nearest is None:
        return "read by us alone", text
    outcome = "equal" if nearest < 0.001 else "within a step" if nearest <= 1.01 * STEP else "different"
    return outcome, text


def run(setup):
    if not setup.collections:
        say("  none was given: --pictures FOLDER")
        return [Figure("other people's test pictures", "no difference without a reason", "none given", None)]
    known = reasons()
    used = set()
    faults = Faults()
    figures = []
    with Decoder(setup) as decoder:
        for collection in setup.collections:
            counts = dict.fromkeys(OUTCOMES, 0)
            explained = 0
            files = sorted(path for path in collection.rglob("*") if path.is_file() and not path.name.startswith("."))
            files = [path for path in files if path.suffix.lower() not in (".txt", ".md", ".py", ".html", "")]
            for path in files:
                outcome, text = compare(decoder, path)
                counts[outcome] = counts.get(outcome, 0) + 1
                if outcome in ("equal", "within a step", "refused by all"):
                    continue
                name = f"{collection.name}/{path.relative_to(collection)}"
                reason = next((entry for entry in known if entry[1] == outcome and fnmatch.fnmatch(name, entry[0])), None)
                if reason:
                    used.add(reason)
                    explained += 1
                else:
                    faults.add(f"{name}: {outcome}: {text}")
            table = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
            say(f"  {collection.name}: {len(files)} files: {table}; {explained} for a reason that is known")
            figures.append((collection.name, len(files)))
    for entry in known:
        say(f"  reason: {': '.join(entry)}{'' if entry in used else ' (of no file here)'}")
    files = sum(count for _, count in figures)
    return [Figure("other people's test pictures", "no difference without a reason",
                   f"{files} files, {faults.count} without a reason", faults.count == 0)]
