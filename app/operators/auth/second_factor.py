"""The second factor: codes from an app on the phone, and recovery codes for when it is lost."""

import base64
import re
import secrets

import pyotp
import segno
import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import Session

from app import audit
from app.core.config import settings
from app.core.db import utcnow
from app.core.errors import Conflict, Invalid
from app.core.secrets.sealing import Sealer
from app.core.values import frozen
from app.operators.auth.sessions import hashed
from app.operators.models import Operator, RecoveryCode

STEP = 30  # seconds that a code is shown
TOLERANCE = 1  # steps that the telephone's clock may be off, either way
RECOVERY_CODES = 10


@frozen
class Setup:
    """A secret that is being set up: as text, as a drawing, and sealed for the form that brings it back."""

    secret: str
    uri: str
    sealed: str

    @property
    def spaced(self) -> str:
        """The secret as it is typed by hand."""
        return " ".join(re.findall(".{4}", self.secret))

    @property
    def drawing(self) -> str:
        """The QR code as SVG, without styles."""
        code = segno.make(self.uri, error="m", micro=False)
        return code.svg_inline(omitsize=True, light="#fff", lineclass=None, svgclass="qr", border=3)


def offer(operator: Operator, sealed: str | None = None) -> Setup:
    """A new secret for this operator, or the one that its form brought back. Nothing is stored yet.

    Raises Unsealable when the form was another operator's.
    """
    row = f"operator:{operator.id}:offered"
    secret = _sealer().open(sealed, row) if sealed else pyotp.random_base32()
    uri = pyotp.TOTP(secret).provisioning_uri(name=operator.email, issuer_name=settings().company_name)
    return Setup(secret, uri, sealed or _sealer().seal(secret, row))


def enable(session: Session, operator: Operator, setup: Setup, code: str) -> list[str]:
    """Ask for codes from now on. Gives the recovery codes, which are not shown again. Flushes.

    Raises Invalid when the code does not fit, Conflict when there is a second factor already.
    """
    step = _step(setup.secret, code)
    if step is None:
        raise Invalid(
            "This code is wrong. Enter the six digits that the app shows now. Check your phone's clock."
        )
    now = utcnow()
    sealed = _sealer().seal(setup.secret, _row(operator))
    enabled = session.scalar(
        sa.update(Operator)
        .where(Operator.id == operator.id, Operator.totp_enabled_at.is_(None))
        .values(totp_sealed=sealed, totp_enabled_at=now, totp_last_step=step)
        .returning(Operator.id)
    )
    if enabled is None:
        raise Conflict("Your account already has a second factor.")
    session.refresh(operator)
    audit.note(session, "operator.totp_enabled", actor=f"operator:{operator.id}", operator_id=operator.id)
    return _new_codes(session, operator)


def accepts(session: Session, operator: Operator, code: str) -> bool:
    """Is this a code that the phone shows now, or a recovery code, and not used before? Uses it up."""
    text = re.sub(r"[\s-]", "", code)
    if re.fullmatch(r"\d{6}", text):
        return _spend_totp(session, operator, text)
    used = session.scalar(
        sa.update(RecoveryCode)
        .where(
            RecoveryCode.operator_id == operator.id,
            RecoveryCode.code_hash == hashed(text.upper()),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=utcnow())
        .returning(RecoveryCode.id)
    )
    if used is None:
        return False
    left = str(codes_left(session, operator))
    audit.note(
        session,
        "operator.recovery_code_used",
        actor=f"operator:{operator.id}",
        operator_id=operator.id,
        left=left,
    )
    return True


def renew_codes(session: Session, operator: Operator) -> list[str]:
    """New recovery codes in place of all before. Flushes. Raises Conflict without a second factor."""
    if not operator.has_second_factor:
        raise Conflict("Set up a second factor first.")
    audit.note(
        session, "operator.recovery_codes_made", actor=f"operator:{operator.id}", operator_id=operator.id
    )
    return _new_codes(session, operator)


def remove(session: Session, operator: Operator, *, actor: str) -> None:
    """Remove the second factor. Flushes."""
    operator.totp_sealed = operator.totp_enabled_at = operator.totp_last_step = None
    session.execute(sa.delete(RecoveryCode).where(RecoveryCode.operator_id == operator.id))
    audit.note(session, "operator.totp_removed", actor=actor, operator_id=operator.id)
    session.flush()


def codes_left(session: Session, operator: Operator) -> int:
    """How many recovery codes are unused."""
    unused = sa.select(sa.func.count()).where(
        RecoveryCode.operator_id == operator.id, RecoveryCode.used_at.is_(None)
    )
    return session.scalar(unused) or 0


def _spend_totp(session: Session, operator: Operator, code: str) -> bool:
    if operator.totp_sealed is None:
        return False
    step = _step(_sealer().open(operator.totp_sealed, _row(operator)), code)
    if step is None:
        return False
    taken = session.scalar(
        sa.update(Operator)
        .where(
            Operator.id == operator.id,
            sa.or_(Operator.totp_last_step.is_(None), Operator.totp_last_step < step),
        )
        .values(totp_last_step=step)
        .returning(Operator.id)
    )
    return taken is not None


def _step(secret: str, code: str) -> int | None:
    """Return the time step of a currently valid code, or None."""
    totp, now = pyotp.TOTP(secret), int(utcnow().timestamp()) // STEP
    text = re.sub(r"\s", "", code)
    steps = range(now - TOLERANCE, now + TOLERANCE + 1)
    return next((step for step in steps if secrets.compare_digest(_code(totp, step), text.encode())), None)


def _code(totp: pyotp.TOTP, step: int) -> bytes:
    return totp.generate_otp(step).encode()


def _new_codes(session: Session, operator: Operator) -> list[str]:
    session.execute(sa.delete(RecoveryCode).where(RecoveryCode.operator_id == operator.id))
    # 80 bits each, so a plain hash of them can't be guessed back.
    codes = [base64.b32encode(secrets.token_bytes(10)).decode() for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(operator_id=operator.id, code_hash=hashed(code)) for code in codes)
    session.flush()
    return ["-".join(re.findall(".{4}", code)) for code in codes]


def _row(operator: Operator) -> str:
    return f"operator:{operator.id}:totp"


def _sealer() -> Sealer:
    found = current_app.extensions["gangway.sealer"]
    assert isinstance(found, Sealer)
    return found
