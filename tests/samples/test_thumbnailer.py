"""The thumbnailer, on the logo that ships with ipykernel and on images that Pillow makes."""

from __future__ import annotations

import io
from pathlib import Path

import ipykernel
import pytest
from PIL import Image

from nebula_lab.plugin import PluginError

LOGO = Path(ipykernel.__file__).parent / "resources" / "logo-64x64.png"


@pytest.fixture
def thumbnailer(house):
    house.load("thumbnailer")
    return house


def opened(thumbnail: dict) -> Image.Image:
    image = Image.open(io.BytesIO(thumbnail["image"]))
    image.load()
    return image


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_the_logo_is_scaled_down_in_each_format(thumbnailer, kind):
    thumbnail = thumbnailer.call(
        "thumbnailer", "thumbnail", image=LOGO.read_bytes(), width=32, height=32, format=kind
    )
    image = opened(thumbnail)
    assert (image.format, image.size) == (kind, (32, 32))


def test_proportions_stay_as_they_are(thumbnailer):
    wide = encoded(Image.new("RGB", (400, 100), "red"))
    thumbnail = thumbnailer.call("thumbnailer", "thumbnail", image=wide, width=100, height=100)
    assert (thumbnail["width"], thumbnail["height"]) == (100, 25)


def test_a_small_image_does_not_grow(thumbnailer):
    thumbnail = thumbnailer.call("thumbnailer", "thumbnail", image=LOGO.read_bytes(), width=500)
    assert (thumbnail["width"], thumbnail["height"]) == (64, 64)


def test_what_is_transparent_is_white_in_a_jpeg(thumbnailer):
    clear = encoded(Image.new("RGBA", (10, 10), (0, 0, 0, 0)))
    thumbnail = thumbnailer.call("thumbnailer", "thumbnail", image=clear, format="JPEG")
    assert opened(thumbnail).getpixel((5, 5)) == (255, 255, 255)


def test_a_photograph_that_lies_on_its_side_is_put_upright(thumbnailer):
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: rotate by 90 degrees to see it as it was taken
    lying = encoded(Image.new("RGB", (60, 20), "red"), "JPEG", exif=exif)
    thumbnail = thumbnailer.call("thumbnailer", "thumbnail", image=lying)
    assert (thumbnail["width"], thumbnail["height"]) == (20, 60)


def test_an_image_is_described_by_its_header(thumbnailer):
    description = thumbnailer.call("thumbnailer", "describe", image=LOGO.read_bytes())
    assert description == {
        "format": "PNG",
        "width": 64,
        "height": 64,
        "mode": "RGBA",
        "frames": 1,
    }


def test_a_preview_is_displayed_only_when_asked_for(thumbnailer, capsys):
    # Outside IPython, what is displayed is printed.
    thumbnailer.call("thumbnailer", "thumbnail", image=LOGO.read_bytes())
    assert capsys.readouterr().out == ""
    thumbnailer.call("thumbnailer", "thumbnail", image=LOGO.read_bytes(), preview=True)
    assert "Image" in capsys.readouterr().out


def test_bytes_that_are_no_image_are_refused(thumbnailer):
    with pytest.raises(PluginError, match="no image"):
        thumbnailer.call("thumbnailer", "describe", image=b"GIF89 or so")


def test_an_image_of_too_many_pixels_is_refused_before_it_is_unpacked(house):
    house.load("thumbnailer", max_pixels=1000)
    with pytest.raises(PluginError, match="64 × 64 pixels is too large"):
        house.call("thumbnailer", "thumbnail", image=LOGO.read_bytes())
