"""Picture files of every format and kind, written by other programs or by hand, whose pixels are known."""
import dataclasses
import io
import struct
import subprocess

import numpy as np
from PIL import Image


@dataclasses.dataclass
class Known:
    """A file, and the picture that is in it: h × w × 3 floats in [0, 1], alpha blended over black."""
    name: str
    data: bytes
    pixels: np.ndarray
    within: float = 0.002  # what a float may be off: half a step of 8 bits; more where the format is lossy


def rgb(pixels):
    """h × w or h × w × c → h × w × 3; alpha, where there is one, blended over black."""
    pixels = np.asarray(pixels, dtype=np.float64)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.shape[2] in (2, 4):
        pixels = pixels[..., :-1] * pixels[..., -1:]
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def ramp(height, width, channels, bits, numbers):
    """Whole numbers of so many bits: a slope with noise, whose corners are 0 and the largest."""
    most = 2**bits - 1
    y, x = np.mgrid[0:height, 0:width]
    slope = (x + 2 * y) / (width + 2 * height - 3)
    values = np.stack([slope if c % 2 == 0 else 1 - slope for c in range(channels)], axis=2)
    values = np.clip(np.rint((values + numbers.uniform(-0.1, 0.1, values.shape)) * most), 0, most).astype(np.uint64)
    values[0, 0] = 0
    values[-1, -1] = most
    return values


# TIFF, written by hand: what no single tool writes, every width of value in strips, tiles and planes.

SHORT, LONG = 3, 4
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, OFFSETS, ORIENTATION, SAMPLES, ROWS, COUNTS, PLANAR = (
    256, 257, 258, 259, 262, 273, 274, 277, 278, 279, 284)
COLORMAP, TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_COUNTS, EXTRA, FORMAT = 320, 322, 323, 324, 325, 338, 339
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, SEPARATED = 0, 1, 2, 3, 5


def packed(values, bits, order):
    """Rows of whole numbers (rows × n), each row filled up to a byte."""
    if bits in (8, 16, 32, 64):
        return values.astype(f"{order}u{bits // 8}").tobytes()
    if bits == 24:
        four = np.ascontiguousarray(values).astype(f"{order}u4").view(np.uint8).reshape(*values.shape, 4)
        return (four[..., :3] if order == "<" else four[..., 1:]).tobytes()
    shifts = np.arange(bits - 1, -1, -1, dtype=np.uint64)
    digits = (values[..., None] >> shifts) & np.uint64(1)
    return np.packbits(digits.reshape(values.shape[0], -1).astype(np.uint8), axis=1).tobytes()


def tiff(samples, bits, photometric, *, order="<", planar=False, tile=None, rows=5, orientation=1, extra=(),
         colormap=None, format_=1):
    """samples: h × w × c of whole numbers, or of floats of `bits` bits (format_ 3)."""
    height, width, channels = samples.shape

    def encoded(block):
        if format_ == 3:
            return block.astype(f"{order}f{bits // 8}").tobytes()
        return packed(block.reshape(block.shape[0], -1), bits, order)

    planes = [samples[..., c:c + 1] for c in range(channels)] if planar else [samples]
    pieces = []
    for plane in planes:
        if tile:
            for top in range(0, height, tile):
                for left in range(0, width, tile):
                    piece = np.zeros((tile, tile, plane.shape[2]), dtype=plane.dtype)
                    part = plane[top:top + tile, left:left + tile]
                    piece[:part.shape[0], :part.shape[1]] = part
                    pieces.append(encoded(piece))
        else:
            pieces += [encoded(plane[top:top + rows]) for top in range(0, height, rows)]
    tags = {WIDTH: (LONG, [width]), HEIGHT: (LONG, [height]), BITS: (SHORT, [bits] * channels),
            COMPRESSION: (SHORT, [1]), PHOTOMETRIC: (SHORT, [photometric]), ORIENTATION: (SHORT, [orientation]),
            SAMPLES: (SHORT, [channels]), PLANAR: (SHORT, [2 if planar else 1]), FORMAT: (SHORT, [format_] * channels)}
    if extra:
        tags[EXTRA] = (SHORT, list(extra))
    if colormap is not None:
        tags[COLORMAP] = (SHORT, list(colormap))
    tags[TILE_OFFSETS if tile else OFFSETS] = (LONG, [0] * len(pieces))
    tags[TILE_COUNTS if tile else COUNTS] = (LONG, [len(piece) for piece in pieces])
    if tile:
        tags[TILE_WIDTH] = tags[TILE_HEIGHT] = (LONG, [tile])
    else:
        tags[ROWS] = (LONG, [rows])
    begin = 8 + 2 + 12 * len(tags) + 4
    room = sum(size for kind, values in tags.values()
               if (size := len(values) * (2 if kind == SHORT else 4)) > 4)
    at = begin + room
    for i, piece in enumerate(pieces):
        tags[TILE_OFFSETS if tile else OFFSETS][1][i] = at
        at += len(piece)
    entries, beyond = b"", b""
    for tag in sorted(tags):
        kind, values = tags[tag]
        data = struct.pack(f"{order}{len(values)}{'H' if kind == SHORT else 'I'}", *values)
        if len(data) > 4:
            field = struct.pack(f"{order}I", begin + len(beyond))
            beyond += data
        else:
            field = data.ljust(4, b"\0")
        entries += struct.pack(f"{order}HHI", tag, kind, len(values)) + field
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HIH", 42, 8, len(tags))
    return head + entries + b"\0\0\0\0" + beyond + b"".join(pieces)


def upright(pixels, orientation):
    """A picture as it is to be seen, of the rows that a file holds (TIFF 6.0, tag 274)."""
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels


def tiff_kinds(numbers):
    for bits in (1, 2, 4, 6, 8, 10, 12, 14, 16, 24, 32):
        most = float(2**bits - 1)
        for order in "<>":
            gray = ramp(21, 19, 1, bits, numbers)
            ends = "le" if order == "<" else "be"
            yield Known(f"gray-{bits}-{ends}.tif", tiff(gray, bits, BLACK_IS_ZERO, order=order), rgb(gray / most))
        yield Known(f"white-is-zero-{bits}.tif", tiff(gray, bits, WHITE_IS_ZERO), rgb(1 - gray / most))
        colour = ramp(21, 19, 3, bits, numbers)
        yield Known(f"rgb-{bits}.tif", tiff(colour, bits, RGB), rgb(colour / most))
        yield Known(f"rgb-planar-{bits}.tif", tiff(colour, bits, RGB, planar=True), rgb(colour / most))
        yield Known(f"rgb-tiled-{bits}.tif", tiff(colour, bits, RGB, tile=16), rgb(colour / most))
        yield Known(f"rgb-tiled-planar-{bits}.tif", tiff(colour, bits, RGB, tile=16, planar=True), rgb(colour / most))
    for bits in (1, 2, 4, 8):
        indices = ramp(21, 19, 1, bits, numbers)
        table = numbers.integers(0, 256, (3, 2**bits)) * 257
        known = rgb(table.T[indices[..., 0].astype(int)] / 65535)
        for tile in (None, 16):
            data = tiff(indices, bits, PALETTE, colormap=table.reshape(-1), tile=tile)
            yield Known(f"palette-{bits}-{'tiled' if tile else 'strips'}.tif", data, known)
    for bits in (8, 16):
        most = 2**bits - 1
        for tile in (None, 16):
            where = "tiled" if tile else "strips"
            two = ramp(21, 19, 2, bits, numbers)
            yield Known(f"gray-alpha-{bits}-{where}.tif",
                        tiff(two, bits, BLACK_IS_ZERO, extra=[2], tile=tile), rgb(two / most))
            four = ramp(21, 19, 4, bits, numbers)
            yield Known(f"rgb-alpha-{bits}-{where}.tif", tiff(four, bits, RGB, extra=[2], tile=tile), rgb(four / most))
            four[..., :3] = np.minimum(four[..., :3], four[..., 3:])
            yield Known(f"rgb-associated-{bits}-{where}.tif", tiff(four, bits, RGB, extra=[1], tile=tile),
                        four[..., :3] / most)
            inks = ramp(21, 19, 4, bits, numbers)
            known = (1 - inks[..., :3] / most) * (1 - inks[..., 3:] / most)
            yield Known(f"cmyk-{bits}-{where}.tif", tiff(inks, bits, SEPARATED, tile=tile), known)
    for bits in (16, 32, 64):
        for channels in (1, 3):
            for planar in {False, channels == 3}:
                values = ramp(21, 19, channels, 16, numbers) / 65535.0
                data = tiff(values, bits, RGB if channels == 3 else BLACK_IS_ZERO, format_=3, planar=planar)
                yield Known(f"float-{bits}-{channels}-{'planar' if planar else 'chunky'}.tif", data, rgb(values))
    for orientation in range(1, 9):
        for tile in (None, 16):
            colour = ramp(21, 19, 3, 8, numbers)
            yield Known(f"orientation-{orientation}-{'tiled' if tile else 'strips'}.tif",
                        tiff(colour, 8, RGB, orientation=orientation, tile=tile),
                        upright(colour / 255.0, orientation))


def compressed_tiff_kinds(numbers, folder):
    """By libtiff's own tools, of what was written by hand."""
    source, target = folder / "source.tif", folder / "target.tif"
    for name, channels, bits in (("gray", 1, 8), ("rgb", 3, 8), ("rgb16", 3, 16), ("bilevel", 1, 1)):
        samples = ramp(40, 37, channels, bits, numbers)
        source.write_bytes(tiff(samples, bits, RGB if channels == 3 else BLACK_IS_ZERO))
        known = rgb(samples / (2.0**bits - 1))
        ways = ["packbits", "lzw", "lzw:2", "zip", "zip:2", "lzma", "zstd"]
        if name == "bilevel":
            ways = ["g3:1d", "g3:2d", "g4", "packbits", "lzw", "zip"]
        for way in ways:
            for options in ([], ["-t", "-w", "16", "-l", "16"], ["-r", "7"], ["-p", "separate"]):
                target.unlink(missing_ok=True)
                made = subprocess.run(["tiffcp", "-c", way, *options, source, target], capture_output=True)
                if made.returncode == 0:
                    yield Known(f"{name}-{way.replace(':', '-')}{''.join(options[:1])}.tif", target.read_bytes(), known)


# BMP, by hand: the headers of OS/2 and Windows, each depth, masks, both directions.

def bmp(pixels, *, header=40, bits=24, masks=None, top_down=False, palette=None):
    """pixels: h × w × c numbers as the file holds them: indices, B G R (A), or whole values where there are masks."""
    height, width = pixels.shape[:2]
    if masks:
        rows = pixels.astype(f"<u{bits // 8}").reshape(height, -1).view(np.uint8)
    else:
        rows = np.frombuffer(packed(pixels.reshape(height, -1).astype(np.uint64), min(bits, 8), "<"), np.uint8)
        rows = rows.reshape(height, -1)
    rows = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4)))
    data = rows[:: 1 if top_down else -1].tobytes()
    colours = b"".join(bytes(entry[::-1]) + (b"" if header == 12 else b"\0") for entry in (palette or []))
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        kind = 3 if masks else 0
        info = struct.pack("<IiiHHIIiiII", header, width, -height if top_down else height, 1, bits, kind, len(data),
                           2835, 2835, len(palette or []), 0)
        if masks and header == 40:
            info += struct.pack("<3I", *masks[:3])
        elif header > 40:
            info += struct.pack("<4I", *(masks or (0, 0, 0, 0))) + b"BGRs" + bytes(header - 60)
    offset = 14 + len(info) + len(colours)
    return struct.pack("<2sIHHI", b"BM", offset + len(data), 0, 0, offset) + info + colours + data


def bmp_kinds(numbers):
    for header in (12, 40, 108, 124):
        for bits in (1, 4, 8):
            palette = [tuple(map(int, entry)) for entry in numbers.integers(0, 256, (2**bits, 3))]
            indices = ramp(9, 13, 1, bits, numbers)
            known = np.array(palette)[indices[..., 0].astype(int)] / 255.0
            yield Known(f"{header}-palette-{bits}.bmp", bmp(indices, header=header, bits=bits, palette=palette), known)
        colour = ramp(9, 13, 3, 8, numbers)
        yield Known(f"{header}-24.bmp", bmp(colour, header=header), colour[..., ::-1] / 255.0)
        if header > 12:
            yield Known(f"{header}-24-down.bmp", bmp(colour, header=header, top_down=True), colour[..., ::-1] / 255.0)
    for header in (40, 108, 124):
        for bits, name, masks in ((16, "565", (0xF800, 0x07E0, 0x001F, 0)), (16, "555", (0x7C00, 0x03E0, 0x001F, 0)),
                                  (16, "444", (0x0F00, 0x00F0, 0x000F, 0)),
                                  (32, "xrgb", (0xFF0000, 0xFF00, 0xFF, 0)), (32, "rgbx", (0xFF000000, 0xFF0000, 0xFF00, 0)),
                                  (32, "10-bit", (0x3FF00000, 0xFFC00, 0x3FF, 0))):
            values = numbers.integers(0, 2**32, (9, 13), dtype=np.uint64) & np.uint64(masks[0] | masks[1] | masks[2])
            known = np.stack([(values & np.uint64(m)) / float(m) for m in masks[:3]], axis=2)
            yield Known(f"{header}-masks-{name}.bmp", bmp(values, header=header, bits=bits, masks=masks), known)


# PNM, PAM and PFM, by hand.

def pnm_kinds(numbers):
    for most in (1, 3, 15, 100, 255, 1000, 65535):
        kind = np.dtype(">u2" if most > 255 else "u1")
        for letter, channels, name in ((5, 1, "pgm"), (6, 3, "ppm")):
            values = numbers.integers(0, most + 1, (11, 7, channels))
            head = f"P{letter}\n# a comment\n7 11\n{most}\n".encode()
            yield Known(f"{most}.{name}", head + values.astype(kind).tobytes(), rgb(values / most))
            text = f"P{letter - 3} 7 11 {most}\n" + "\n".join(map(str, values.reshape(-1)))
            yield Known(f"{most}-text.{name}", text.encode(), rgb(values / most))
        for channels, name in ((1, "GRAYSCALE"), (2, "GRAYSCALE_ALPHA"), (3, "RGB"), (4, "RGB_ALPHA")):
            values = numbers.integers(0, most + 1, (11, 7, channels))
            head = f"P7\nWIDTH 7\nHEIGHT 11\nDEPTH {channels}\nMAXVAL {most}\nTUPLTYPE {name}\nENDHDR\n".encode()
            yield Known(f"{most}-{name.lower()}.pam", head + values.astype(kind).tobytes(), rgb(values / most))
    ones = numbers.integers(0, 2, (11, 13, 1))
    yield Known("1.pbm", b"P4\n13 11\n" + np.packbits(ones[..., 0].astype(np.uint8), axis=1).tobytes(), rgb(1 - ones))
    yield Known("1-text.pbm", b"P1 13 11\n" + " ".join(map(str, ones.reshape(-1))).encode(), rgb(1 - ones))
    head = b"P7\nWIDTH 13\nHEIGHT 11\nDEPTH 1\nMAXVAL 1\nTUPLTYPE BLACKANDWHITE\nENDHDR\n"
    yield Known("black-and-white.pam", head + ones.astype(np.uint8).tobytes(), rgb(ones))
    for letter, channels in (("Pf", 1), ("PF", 3)):
        for order, scale in (("<", -1.0), (">", 1.0)):
            values = numbers.uniform(0, 1, (11, 7, channels)).astype(np.float32)
            data = f"{letter}\n7 11\n{scale}\n".encode() + values[::-1].astype(f"{order}f4").tobytes()
            yield Known(f"{letter}-{'le' if order == '<' else 'be'}.pfm", data, rgb(values))


# Formats that other programs write.

def saved(picture, kind, **options):
    data = io.BytesIO()
    picture.save(data, kind, **options)
    return data.getvalue()


def seen(picture):
    """What Pillow makes of a picture of its own."""
    return rgb(np.asarray(picture.convert("RGBA")) / 255.0)


def pillow_kinds(numbers):
    colour = Image.fromarray(ramp(23, 31, 3, 8, numbers).astype(np.uint8))
    gray = Image.fromarray(ramp(23, 31, 1, 8, numbers)[..., 0].astype(np.uint8))
    clear = Image.fromarray(ramp(23, 31, 4, 8, numbers).astype(np.uint8), "RGBA")
    few = colour.quantize(16)
    for name, picture in (("rgb", colour), ("gray", gray), ("rgba", clear), ("palette", few), ("la", clear.convert("LA")),
                          ("bilevel", gray.convert("1"))):
        yield Known(f"{name}.png", saved(picture, "PNG"), seen(picture))
    sixteen = ramp(23, 31, 1, 16, numbers)[..., 0]
    yield Known("gray16.png", saved(Image.fromarray(sixteen.astype(np.uint16)), "PNG"), rgb(sixteen / 65535))
    for name, picture in (("rgb", colour), ("gray", gray), ("cmyk", colour.convert("CMYK"))):
        for way in ({"quality": 95}, {"quality": 60, "progressive": True}):
            data = saved(picture, "JPEG", **way)
            yield Known(f"{name}-{way['quality']}.jpg", data, seen(Image.open(io.BytesIO(data))), 0.05)
    yield Known("palette.gif", saved(few, "GIF"), seen(few))
    yield Known("gray.gif", saved(gray, "GIF"), seen(gray))
    yield Known("interlaced.gif", saved(few, "GIF", interlace=1), seen(few))
    yield Known("animated.gif", saved(few, "GIF", save_all=True, append_images=[gray.quantize(8)]), seen(few))
    for name, picture in (("rgb", colour), ("rgba", clear)):
        yield Known(f"{name}-lossless.webp", saved(picture, "WEBP", lossless=True, exact=True), seen(picture))
    yield Known("animated.webp", saved(colour, "WEBP", lossless=True, save_all=True, append_images=[colour.rotate(9)]),
                seen(colour))
    lossy = saved(colour, "WEBP", quality=90)
    yield Known("lossy.webp", lossy, seen(Image.open(io.BytesIO(lossy))), 0.02)
    for name, picture in (("rgb", colour), ("gray", gray), ("rgba", clear)):
        yield Known(f"{name}.jp2", saved(picture, "JPEG2000", irreversible=False), seen(picture))
    yield Known("rgb.j2k", saved(colour, "JPEG2000", irreversible=False, no_jp2=True), seen(colour))


def tool_kinds(numbers, folder):
    """JPEG XL, AVIF and HEIC, by the tools of their libraries."""
    source = folder / "source.png"
    for name, channels in (("rgb", 3), ("rgba", 4)):
        picture = Image.fromarray(ramp(32, 48, channels, 8, numbers).astype(np.uint8))
        picture.save(source)
        for ending, words, within in (("jxl", ["cjxl", source, "OUT", "-d", "0"], 0.002),
                                      ("avif", ["avifenc", "-l", source, "OUT"], 0.02),
                                      ("heic", ["heif-enc", "-L", "-p", "chroma=444", source, "-o", "OUT"], 0.03)):
            target = folder / f"target.{ending}"
            target.unlink(missing_ok=True)
            made = subprocess.run([target if word == "OUT" else word for word in words], capture_output=True)
            if made.returncode == 0 and target.exists():
                yield Known(f"{name}.{ending}", target.read_bytes(), seen(picture), within)


def every_kind(seed, folder):
    """All of them, in an order and with contents that the seed decides."""
    numbers = np.random.default_rng(seed)
    for kinds in (tiff_kinds(numbers), compressed_tiff_kinds(numbers, folder), bmp_kinds(numbers), pnm_kinds(numbers),
                  pillow_kinds(numbers), tool_kinds(numbers, folder)):
        yield from kinds
