"""A file that is no logo is refused at once, whatever it holds."""

import pytest

from app import portal


@pytest.mark.parametrize("start", [b"<!---->", b"<?xml?>", b"<!DOCTYPE x>", b" \n"])
def test_a_long_preamble_is_read_once(start: bytes) -> None:
    with pytest.raises(ValueError, match="Use an SVG, PNG or WebP picture"):
        portal.Image.of(start * 500 + b"x")


def test_a_preamble_before_a_picture_is_fine() -> None:
    made = portal.Image.of(b'<?xml version="1.0"?>\n<!-- a --><!-- b -->\n<!DOCTYPE svg>\n<svg ></svg>')

    assert made.media_type == "image/svg+xml"
