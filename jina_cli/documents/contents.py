"""One content in several forms: where it is, its bytes, its text, its pixels.

    uri     a path, `file:`, `data:` (RFC 2397), and `http:` or `https:` for who asks for it
    blob    the bytes of the file
    text    the file as text
    tensor  the pixels of an image, uint8: `(height, width)` if it is grey, else
            `(height, width, 3)`; what shows images needs Pillow, of the extra `images`

Each function takes one value; `converted` does it for a field of a whole batch.
"""

from __future__ import annotations

import base64
import binascii
import io
import mimetypes
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import unquote, unquote_to_bytes, urlsplit

import numpy as np
from numpy.typing import NDArray

from jina_cli.documents.batch import BadField, DocumentBatch
from jina_cli.documents.column import BytesColumn, Column, TextColumn, column_of_arrays
from jina_cli.extras import need

MAX_BYTES: Final = 64 * 2**20
"""A content of more is refused."""

MAX_PIXELS: Final = 100_000_000
"""An image of more is refused before it is decoded: a small file may hold a huge one."""

Form: TypeAlias = Literal["uri", "blob", "text", "tensor"]

_DEFAULT_TYPE = "application/octet-stream"
_GREY_MODES = ("1", "L", "LA")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+:")
_TIMEOUT_S = 30.0


class BadContent(ValueError):
    """A content cannot be had in another form; the message is one line."""


@dataclass(frozen=True, slots=True)
class Content:
    """What was found at a URI.

    Attributes:
        mime_type: As the URI or its server says, or as the name of the file tells; empty if
            nothing does.
        charset: Of a text, as the URI or its server says; empty if neither does.
    """

    data: bytes
    mime_type: str = ""
    charset: str = ""

    def text(self) -> str:
        """Return it as text, in its charset or UTF-8.

        Raises:
            BadContent: It is none.
        """
        return text_of(self.data, self.charset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How URIs may be read.

    Attributes:
        http: Whether `http:` and `https:` are; nothing goes to the network unasked.
        files: Whether files are: not for URIs of people who may not read files here.
        folder: Where relative paths begin; empty for the folder of the process.
        max_bytes: A content of more is refused.
    """

    http: bool = False
    files: bool = True
    folder: str = ""
    max_bytes: int = MAX_BYTES


_READING = Reading()


def read_uri(uri: str, reading: Reading = _READING) -> Content:
    """Return what is at a URI.

    Raises:
        BadContent: It cannot be read, or may not, or is too large.
    """
    scheme = uri.partition(":")[0].lower() if _SCHEME.match(uri) else ""
    if scheme == "data":
        return _data(uri, reading)
    if scheme in ("http", "https"):
        if not reading.http:
            raise BadContent(f"{_short(uri)} is on the network, which is not asked unless told to")
        return _http(uri, reading)
    if scheme not in ("", "file"):
        raise BadContent(f"{_short(uri)}: nothing here reads {scheme!r}")
    if not reading.files:
        raise BadContent(f"{_short(uri)} is a file, and files are not read here")
    return _file(_path_of(uri, scheme), reading)


def data_uri(data: bytes, mime_type: str = "", *, charset: str = "") -> str:
    """Return a `data:` URI that holds these bytes, in base64."""
    kind = mime_type or _DEFAULT_TYPE
    kind += f";charset={charset}" if charset else ""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def text_uri(text: str, mime_type: str = "text/plain") -> str:
    """Return a `data:` URI that holds a text."""
    return data_uri(text.encode("utf-8"), mime_type, charset="utf-8")


def text_of(data: bytes, charset: str = "") -> str:
    """Return bytes as text, UTF-8 if no charset is named.

    Raises:
        BadContent: They are none, or nobody knows the charset.
    """
    try:
        return data.decode(charset or "utf-8")
    except UnicodeDecodeError as error:
        raise BadContent(f"not {charset or 'UTF-8'} text, at byte {error.start}") from None
    except LookupError:
        raise BadContent(f"nobody knows the charset {charset!r}") from None


def image_of(data: bytes) -> NDArray[np.uint8]:
    """Return the pixels of the image in a file's bytes, turned as its camera was held.

    Raises:
        BadContent: It is no image, or one of more than `MAX_PIXELS`.
        MissingExtra: The extra `images` is not installed.
    """
    pillow = need("PIL.Image", "images", what="reading images")
    turned = need("PIL.ImageOps", "images").exif_transpose
    try:
        with pillow.open(io.BytesIO(data)) as file:
            if file.width * file.height > MAX_PIXELS:
                size = f"{file.width} × {file.height}"
                raise BadContent(f"an image of {size} is over {MAX_PIXELS:,} pixels")
            image = turned(file)
            if image.mode.startswith("I"):  # 16 bits a pixel
                return np.asarray(np.clip(np.asarray(image) // 256, 0, 255), np.uint8)
            mode = "L" if image.mode in _GREY_MODES else "RGB"
            return np.asarray(image.convert(mode), np.uint8)
    except pillow.UnidentifiedImageError:  # its text tells where in memory the bytes are
        raise BadContent("not an image that can be read: nobody knows its format") from None
    except (OSError, SyntaxError, pillow.DecompressionBombError) as error:
        raise BadContent(f"not an image that can be read: {error}") from error


def png_of(tensor: NDArray[Any], *, width: int | None = None, height: int | None = None) -> bytes:
    """Return an image as the bytes of a PNG file.

    Args:
        tensor: uint8, or floats from 0 to 1; shape `(height, width)`, `(height, width, 1)`,
            `(height, width, 3)` or, with alpha, `(height, width, 4)`. A flat one, `(pixels,)`,
            is grey, and needs `width` and `height`.
        width, height: Of a flat tensor; others have their own.

    Raises:
        BadContent: It is no such image.
        MissingExtra: The extra `images` is not installed.
    """
    if tensor.ndim == 1 and width and height and tensor.size == width * height:
        tensor = tensor.reshape(height, width)
    if tensor.ndim == 3 and tensor.shape[2] == 1:
        tensor = tensor[..., 0]
    is_image = tensor.ndim == 2 or (tensor.ndim == 3 and tensor.shape[2] in (3, 4))
    if not is_image or 0 in tensor.shape:
        raise BadContent(f"a tensor of shape {tensor.shape} is no image")
    if tensor.dtype.kind == "f":
        if not (np.nanmin(tensor) >= 0 and np.nanmax(tensor) <= 1):
            raise BadContent("an image of floats has them from 0 to 1, and this one has not")
        tensor = np.rint(np.nan_to_num(tensor) * 255)
    elif tensor.dtype != np.uint8:
        raise BadContent(f"an image is uint8 or floats, not {tensor.dtype}")
    pillow = need("PIL.Image", "images", what="writing images")
    file = io.BytesIO()
    pillow.fromarray(np.ascontiguousarray(tensor, np.uint8)).save(file, format="PNG")
    return file.getvalue()


def converted(
    batch: DocumentBatch, source: Form, target: Form, reading: Reading = _READING
) -> DocumentBatch:
    """Return documents with one of these fields made of another, for those that have that one.

    What is there of the field is kept where a document lacks the source. `mime_type` is set
    where it was missing and the URI tells it.

    Raises:
        BadField: A document's content cannot be had in that form; the message names it.
        MissingExtra: It takes Pillow, and the extra `images` is not installed.
        ValueError: There is no way from `source` to `target`.
    """
    convert = _WAYS.get((source, target))
    if convert is None:
        raise ValueError(f"there is no way from {source!r} to {target!r}")
    if source not in batch.columns:
        return batch
    values, types = list(batch.values(target)), list(batch.values("mime_type"))
    for place, value in enumerate(batch.values(source)):
        if value is None:
            continue
        try:
            values[place], kind = convert(value, types[place] or "", reading)
        except (BadContent, AttributeError, TypeError) as error:
            raise BadField(f"{source!r} of document {batch.ids[place]!r}: {error}") from error
        types[place] = types[place] or kind or None
    columns: dict[str, Column] = {target: _column(target, values)}
    if any(types):
        columns["mime_type"] = TextColumn(types)
    return batch.with_columns(**columns)


def _column(form: Form, values: list[Any]) -> Column:
    if form == "tensor":
        return column_of_arrays(values)
    return BytesColumn(values) if form == "blob" else TextColumn(values)


_Way: TypeAlias = Callable[[Any, str, Reading], tuple[Any, str]]


def _uri_to_blob(uri: str, kind: str, reading: Reading) -> tuple[bytes, str]:
    content = read_uri(uri, reading)
    return content.data, content.mime_type


def _uri_to_text(uri: str, kind: str, reading: Reading) -> tuple[str, str]:
    content = read_uri(uri, reading)
    return content.text(), content.mime_type


def _uri_to_tensor(uri: str, kind: str, reading: Reading) -> tuple[NDArray[np.uint8], str]:
    content = read_uri(uri, reading)
    return image_of(content.data), content.mime_type


def _uri_to_uri(uri: str, kind: str, reading: Reading) -> tuple[str, str]:
    content = read_uri(uri, reading)
    return data_uri(content.data, content.mime_type or kind, charset=content.charset), kind


_WAYS: Mapping[tuple[str, str], _Way] = {
    ("uri", "blob"): _uri_to_blob,
    ("uri", "text"): _uri_to_text,
    ("uri", "tensor"): _uri_to_tensor,
    ("uri", "uri"): _uri_to_uri,
    ("blob", "text"): lambda data, kind, _: (text_of(data), kind),
    ("blob", "tensor"): lambda data, kind, _: (image_of(data), kind),
    ("blob", "uri"): lambda data, kind, _: (data_uri(data, kind), kind),
    ("text", "blob"): lambda text, kind, _: (text.encode("utf-8"), kind),
    ("text", "uri"): lambda text, kind, _: (text_uri(text, kind or "text/plain"), "text/plain"),
    ("tensor", "blob"): lambda tensor, kind, _: (png_of(tensor), "image/png"),
    ("tensor", "uri"): lambda tensor, kind, _: (data_uri(png_of(tensor), "image/png"), "image/png"),
}
"""From which form to which; `uri` to `uri` makes a `data:` URI of what is there."""


def _path_of(uri: str, scheme: str) -> str:
    if not scheme:
        return uri
    try:
        parts = urlsplit(uri)
    except ValueError as error:
        raise BadContent(f"{_short(uri)} is no URI: {error}") from error
    if parts.netloc not in ("", "localhost"):
        raise BadContent(f"{_short(uri)} is a file of another machine")
    return unquote(parts.path)


def _file(path: str, reading: Reading) -> Content:
    try:
        with Path(os.path.join(reading.folder, path)).open("rb") as file:
            data = _limited(file.read(reading.max_bytes + 1), path, reading)
    except OSError as error:
        raise BadContent(f"cannot read {_short(path)}: {error.strerror}") from error
    except ValueError as error:  # a null byte in the path
        if isinstance(error, BadContent):
            raise
        raise BadContent(f"cannot read {_short(path)!r}: {error}") from error
    return Content(data, mimetypes.guess_type(path)[0] or "")


def _http(uri: str, reading: Reading) -> Content:
    try:
        with urllib.request.urlopen(uri, timeout=_TIMEOUT_S) as answer:
            data = _limited(answer.read(reading.max_bytes + 1), uri, reading)
            headers = answer.headers
    except (OSError, HTTPException, ValueError) as error:
        if isinstance(error, BadContent):
            raise
        raise BadContent(f"cannot read {_short(uri)}: {_reason(error)}") from error
    return Content(data, headers.get_content_type(), headers.get_content_charset() or "")


def _reason(error: Exception) -> str:
    # What stands inside says more, but for an answer that is an error.
    is_answer = isinstance(error, urllib.error.HTTPError)
    inner = error if is_answer else getattr(error, "reason", error)
    return str(inner) or type(error).__name__


def _data(uri: str, reading: Reading) -> Content:
    head, comma, body = uri[len("data:") :].partition(",")
    if not comma:
        raise BadContent(f"{_short(uri)} has no comma before its data")
    kind, *options = head.split(";")
    raw = unquote_to_bytes(body)
    if options and options[-1].strip().lower() == "base64":
        try:
            raw = base64.b64decode(raw, validate=True)
        except binascii.Error:
            raise BadContent(f"{_short(uri)} is not base64") from None
    charsets = [o.partition("=")[2] for o in options if o.lower().startswith("charset=")]
    return Content(_limited(raw, uri, reading), kind or "text/plain", "".join(charsets[:1]))


def _limited(data: bytes, uri: str, reading: Reading) -> bytes:
    if len(data) > reading.max_bytes:
        raise BadContent(f"{_short(uri)} is larger than {reading.max_bytes:,} bytes")
    return data


def _short(uri: str) -> str:
    return uri if len(uri) <= 100 else f"{uri[:80]}…"
