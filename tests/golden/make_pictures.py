#!/usr/bin/env python3
"""Pictures as Pillow reads, turns and scales them, for tests/golden/test_pictures.cpp.

    /usr/bin/python3 tests/golden/make_pictures.py      # Debian: python3-pil, python3-numpy

Writes files/pictures/*: small JPEG, PNG and WebP files, and files/pictures.npz: of each what Pillow makes of it. JPEG's pixels depend on the decoder
(libjpeg-turbo's accurate transform in both); WebP's are lossless here.
"""
import io
import pathlib

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

HERE = pathlib.Path(__file__).parent / "files"
HEIGHT, WIDTH = 23, 37


def scene(height, width):
    """Smooth colors with an edge and some texture, so that every mistake in order or place shows."""
    y, x = np.mgrid[0:height, 0:width]
    red = 255 * x / (width - 1)
    green = 255 * y / (height - 1)
    blue = np.where((x + 2 * y) % 7 < 3, 200, 40) * (x > width / 3)
    return np.stack([red, green, blue], -1).round().astype(np.uint8)


def planes(image):
    array = np.asarray(image)
    return array[None] if array.ndim == 2 else np.ascontiguousarray(array.transpose(2, 0, 1))


def main():
    folder = HERE / "pictures"
    folder.mkdir(exist_ok=True)
    picture = Image.fromarray(scene(HEIGHT, WIDTH))
    entries = {}

    def keep(name, image, **options):
        path = folder / name
        image.save(path, **options)
        read = Image.open(path)
        entries[f"{name}/rgb"] = planes(ImageOps.exif_transpose(read).convert("RGB"))

    keep("color.png", picture)
    keep("gray.png", picture.convert("L"))
    keep("color.jpg", picture, quality=90, subsampling=0)
    keep("subsampled.jpg", picture, quality=75, subsampling=2)
    keep("progressive.jpg", picture, quality=80, progressive=True)
    keep("gray.jpg", picture.convert("L"), quality=90)
    keep("color.webp", picture, lossless=True)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        keep(f"turned{orientation}.jpg", picture, quality=90, subsampling=0, exif=exif.tobytes())
    for height, width in [(12, 20), (5, 5), (50, 80), (23, 9), (1, 1)]:
        scaled = picture.resize((width, height), Image.BILINEAR)
        entries[f"resized/{height}x{width}"] = planes(scaled)
    # As torchvision's Resize and CenterCrop do it.
    for side in (16, 40):
        shorter = min(HEIGHT, WIDTH)
        size = (WIDTH * side // shorter, HEIGHT * side // shorter)
        scaled = picture.resize(size, Image.BILINEAR)
        left, top = int(round((size[0] - side) / 2.0)), int(round((size[1] - side) / 2.0))
        entries[f"cropped/{side}"] = planes(scaled.crop((left, top, left + side, top + side)))
    for factor in (0.0, 0.4, 1.0, 1.7):
        for what in ("Brightness", "Contrast", "Color", "Sharpness"):
            entries[f"op/{what.lower()}/{factor}"] = planes(getattr(ImageEnhance, what)(picture).enhance(factor))
    entries["op/autocontrast/0"] = planes(ImageOps.autocontrast(picture))
    entries["op/equalize/0"] = planes(ImageOps.equalize(picture))
    for bits in (1, 4, 8):
        entries[f"op/posterize/{bits}"] = planes(ImageOps.posterize(picture, bits))
    for threshold in (0, 128, 250):
        entries[f"op/solarize/{threshold}"] = planes(ImageOps.solarize(picture, threshold))
    for degrees in (0, 30, -17, 90):
        entries[f"op/rotate/{degrees}"] = planes(picture.rotate(degrees, Image.BILINEAR, fillcolor=(7, 7, 7)))
    for shear in (0.3, -0.2):
        entries[f"op/shear/{shear}"] = planes(picture.transform(picture.size, Image.AFFINE, (1, shear, 0, 0, 1, 0), Image.BILINEAR, fillcolor=(7, 7, 7)))
    np.savez(HERE / "pictures.npz", **{key: np.array(value, order="C") for key, value in entries.items()})
    print(f"{len(entries)} arrays, {sum(p.stat().st_size for p in folder.iterdir()) // 1024} KiB of pictures")


if __name__ == "__main__":
    main()
