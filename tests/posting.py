"""Bodies as servers post them."""

from __future__ import annotations

import json
from typing import Any

PICTURE = b"\xff\xd8\xff\xe0\r\n--not the boundary\r\n" * 50


def post_json(payload: Any, content_type: str = "application/json") -> tuple[bytes, dict[str, str]]:
    """A JSON body and its headers."""
    return json.dumps(payload).encode(), {"content-type": content_type}


def post_form(
    field: str, text: bytes, *, picture: bytes | None = None, quoted: bool = True, boundary: str = "----b0und"
) -> tuple[bytes, dict[str, str]]:
    """A multipart body with ``text`` in ``field``, as curl writes it, or as .NET does (``quoted`` False), and its headers."""
    mark, end = b"--" + boundary.encode(), b"\r\n"
    name = f'"{field}"' if quoted else field
    part = [mark, f"Content-Disposition: form-data; name={name}".encode(), b"Content-Type: application/json"]
    lines = [*part, b"", text]
    if picture is not None:
        disposition = b'Content-Disposition: form-data; name="thumb"; filename="thumb.jpg"'
        lines += [mark, disposition, b"Content-Type: image/jpeg", b"", picture]
    body = end.join([*lines, mark + b"--", b""])
    told = boundary if quoted else f'"{boundary}"'
    return body, {"content-type": f"multipart/form-data; boundary={told}"}
