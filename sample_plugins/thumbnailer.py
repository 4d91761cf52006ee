"""Makes small pictures of large ones: bytes in, bytes out. Needs Pillow."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from PIL import Image, ImageOps, UnidentifiedImageError

from nebula_lab.plugin import Bounds, Plugin, PluginError, operation

PLUGIN_API_VERSION = 1
PLUGIN_METADATA = {
    "id": "thumbnailer",
    "name": "Thumbnailer",
    "version": "1.1.0",
    "description": "Makes thumbnails of images.",
    "tags": ["images"],
}

Side = Annotated[int, Bounds(ge=1, le=4096), "in pixels"]


@dataclass(frozen=True)
class Thumbnail:
    """An image as the bytes of a file, with its size in pixels."""

    image: bytes
    format: str
    width: int
    height: int


@dataclass(frozen=True)
class ImageInfo:
    """What the header of an image says."""

    format: str
    width: int
    height: int
    mode: str
    frames: int


class Thumbnailer(Plugin):
    """Scales images down; the proportions stay as they are."""

    def initialize(self, config: dict[str, Any]) -> None:
        self._most_pixels = int(config.get("max_pixels", 50_000_000))

    @operation(idempotent=True)
    def thumbnail(
        self,
        image: bytes,
        width: Side = 128,
        height: Side = 128,
        format: Literal["PNG", "JPEG", "WEBP"] = "PNG",  # noqa: A002 - the word for it
        preview: bool = False,
    ) -> Thumbnail:
        """Scale an image down until it fits into width × height.

        Args:
            image: the content of an image file.
            width: at most this.
            height: at most this.
            format: of the result; JPEG has no transparency, which becomes white.
            preview: show the result under the cell that called.
        """
        small = ImageOps.exif_transpose(self._open(image))
        small.thumbnail((width, height), Image.Resampling.LANCZOS)
        if format == "JPEG":
            opaque = Image.new("RGBA", small.size, "white")
            opaque.alpha_composite(small.convert("RGBA"))
            small = opaque.convert("RGB")
        content = io.BytesIO()
        small.save(content, format)
        if preview:
            from IPython import display

            display.display(display.Image(content.getvalue(), format=format.lower()))
        return Thumbnail(content.getvalue(), format, *small.size)

    @operation(idempotent=True)
    def describe(self, image: bytes) -> ImageInfo:
        """What kind of image it is, and how large."""
        found = self._open(image)
        frames = getattr(found, "n_frames", 1)
        return ImageInfo(found.format or "", *found.size, found.mode, frames)

    def _open(self, content: bytes) -> Image.Image:
        try:
            image = Image.open(io.BytesIO(content))
        except UnidentifiedImageError:
            raise PluginError(
                f"these {len(content)} bytes are no image that Pillow knows"
            ) from None
        if image.width * image.height > self._most_pixels:  # a small file can hold a huge image
            raise PluginError(
                f"an image of {image.width} × {image.height} pixels is too large",
                hint="Set thumbnailer.max_pixels in the configuration to allow it.",
            )
        return image


def plugin_entry() -> Thumbnailer:
    return Thumbnailer()
