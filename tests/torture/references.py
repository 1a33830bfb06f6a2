"""What Pillow and ImageMagick make of a picture file: h × w × 3 floats in [0, 1], upright, alpha blended over black, no
colour management; or why they refuse it."""
import dataclasses
import pathlib
import re
import subprocess
import tempfile
import warnings

import numpy as np
from PIL import Image, ImageOps

from .pictures import rgb

Image.MAX_IMAGE_PIXELS = 50_000_000  # twice of it is an error: a small file may state gigabytes
LIMITS = ["-limit", "memory", "1GiB", "-limit", "map", "1GiB", "-limit", "disk", "0"]


@dataclasses.dataclass
class Reading:
    pixels: np.ndarray = None
    refusal: str = ""
    warning: str = ""  # it was read, but something is said to be wrong with it


def by_pillow(path):
    try:
        with warnings.catch_warnings(record=True) as caught, Image.open(path) as opened:
            warnings.simplefilter("always")
            kind = opened.format
            picture = ImageOps.exif_transpose(opened)
            return Reading(pixels=_values(picture, kind), warning="; ".join(str(w.message) for w in caught))
    except Exception as error:  # Pillow raises what its plugins raise
        return Reading(refusal=f"{type(error).__name__}: {error}")


def _values(picture, kind):
    if picture.mode in ("I;16", "I;16L", "I;16B"):
        return rgb(np.asarray(picture).astype(np.float64) / 65535)
    if picture.mode == "I" and kind in ("PNG", "PPM"):
        return rgb(np.asarray(picture).astype(np.float64) / 65535)
    if picture.mode == "F":
        return rgb(np.asarray(picture).astype(np.float64))
    if picture.mode in ("I", "LAB", "HSV"):
        raise ValueError(f"mode {picture.mode}: not one scale to [0, 1]")
    if picture.mode in ("RGBa", "La"):
        return rgb(np.asarray(picture)[..., :-1] / 255.0)
    alpha = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    return rgb(np.asarray(picture.convert("RGBA" if alpha else "RGB")) / 255.0)


def by_own_tool(path):
    """AVIF, HEIC, JPEG XL and JPEG 2000 by the programs of their libraries, brought to PNG."""
    with tempfile.TemporaryDirectory() as folder:
        target = f"{folder}/picture.png"
        commands = {".avif": ["avifdec", path, target], ".heic": ["heif-convert", path, target],
                    ".heif": ["heif-convert", path, target], ".jxl": ["djxl", path, target],
                    ".jp2": ["opj_decompress", "-i", path, "-o", target],
                    ".j2k": ["opj_decompress", "-i", path, "-o", target]}
        command = commands.get(pathlib.Path(path).suffix.lower())
        if command is None:
            return Reading(refusal="no format of it")
        made = subprocess.run(command, capture_output=True, timeout=60)
        return by_pillow(target) if made.returncode == 0 else Reading(refusal=f"{command[0]}: {made.returncode}")


def by_imagemagick(path):
    # Of a PNG the values are taken as they are, whatever gamma it states; CMYK and the like become colours.
    stated = pathlib.Path(path).suffix.lower() == ".png"
    colours = ["-set", "colorspace", "sRGB"] if stated else ["-colorspace", "sRGB"]
    words = ["convert", *LIMITS, f"{path}[0]", "-auto-orient", "+profile", "*", *colours, "-background", "black", "-alpha",
             "remove", "-depth", "16", "ppm:-"]
    try:
        made = subprocess.run(words, capture_output=True, timeout=60)
    except subprocess.TimeoutExpired:
        return Reading(refusal="not done after 60 s")
    head = re.match(rb"P6\s+(\d+)\s+(\d+)\s+(\d+)\s", made.stdout)
    said = made.stderr.decode("utf-8", "replace").strip().split("\n")[0]
    if not head:
        return Reading(refusal=said or "no picture")
    width, height, most = map(int, head.groups())
    data = np.frombuffer(made.stdout[head.end():], dtype=">u2" if most > 255 else "u1")
    if data.size < width * height * 3:
        return Reading(refusal="cut short")
    return Reading(pixels=data[:width * height * 3].reshape(height, width, 3) / most, warning=said)
