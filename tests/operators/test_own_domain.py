"""The email address of an operator, and all of its domain, is the first thing that somebody tries."""

import pytest
from flask import Flask

from app.core.errors import Invalid
from app.operators.auth import accounts
from tests.support.cases import for_each

EMAIL = "ada.lovelace@mail.blemgroptisk-vunz.co.example"


@for_each(
    "password",
    [
        EMAIL,
        EMAIL.upper(),
        "mail.blemgroptisk-vunz.co.example",
        "blemgroptisk-vunz.co.example",
        "blemgroptisk-vunz.co",
        "blemgroptisk-vunz",
        "blemgroptiskvunz",
        "blemgroptiskvunz1",
        "blemgroptiskvunzcoexample",
        "ADA.LOVELACE.VUNZ",
        "ksitporgmelb-znuv",
        "b l e m g r o p t i s k - v u n z",
        "B.L.E.M.G.R.O.P.T.I.S.K.V.U.N.Z",
        "\uff42\uff4c\uff45\uff4d\uff47\uff52\uff4f\uff50\uff54\uff49\uff53\uff4b-vunz",
    ],
)
def test_is_no_password(app: Flask, password: str) -> None:
    with app.app_context(), pytest.raises(Invalid, match="easy to guess"):
        accounts.accept_password(password, email=EMAIL, name="Ada")


def test_is_one_for_somebody_else(app: Flask) -> None:
    with app.app_context():
        accepted = accounts.accept_password("blemgroptiskvunz", email="bob@example.com", name="Bob")

    assert accepted.hash.startswith("$argon2id$")
    assert "argon2" not in repr(accepted)
