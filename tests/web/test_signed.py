"""What we sign has the form that itsdangerous gives it, so either reads what the other has signed."""

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from app.web.input.signed import MIN_COMPRESSED, serializer

FORMER, CURRENT = "a former key", "the current key"


@pytest.mark.parametrize("value", ["short", "long " * MIN_COMPRESSED, {"browser": "name"}])
def test_each_reads_what_the_other_has_signed(value: object) -> None:
    ours, theirs = serializer((FORMER, CURRENT), "a form"), URLSafeTimedSerializer(CURRENT, salt="a form")

    assert theirs.loads(ours.sign(value), max_age=60) == value
    assert ours.loads(theirs.dumps(value), max_age=60) == value


def test_reads_what_a_former_key_has_signed() -> None:
    signed = serializer((FORMER,), "a form").sign("value")

    assert serializer((FORMER, CURRENT), "a form").loads(signed) == "value"
    with pytest.raises(BadSignature):
        serializer((CURRENT,), "a form").loads(signed)


def test_refuses_what_was_signed_for_something_else() -> None:
    signed = serializer((CURRENT,), "a form").sign("value")

    with pytest.raises(BadSignature):
        serializer((CURRENT,), "another form").loads(signed)


def test_refuses_what_is_too_old() -> None:
    ours = serializer((CURRENT,), "a form")

    with pytest.raises(SignatureExpired):
        ours.loads(ours.sign("value"), max_age=-1)


def test_compresses_long_values() -> None:
    assert len(serializer((CURRENT,), "a form").sign("x" * 4000)) < 200


def test_signs_the_cookie_as_flask_does(app: Flask) -> None:
    ours, theirs = app.session_interface, SecureCookieSessionInterface()
    assert isinstance(ours, SecureCookieSessionInterface)
    signing, reading = ours.get_signing_serializer(app), theirs.get_signing_serializer(app)
    assert signing is not None
    assert reading is not None
    content = {"browser": "a", "seen": (1, 2)}

    assert reading.loads(signing.dumps(content)) == content
    assert signing.loads(reading.dumps(content)) == content
