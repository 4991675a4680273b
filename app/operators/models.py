"""Who may use the API and the console."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.db import Base, UtcDateTime, new_id, partial_index, utcnow
from app.core.secrets.sealing import SEALED


class Role(StrEnum):
    """What an operator may do; each role has what those before it have."""

    VIEWER = "viewer"  # reads
    OPERATOR = "operator"  # acts for customers
    ADMIN = "admin"  # keys, tokens, team

    def covers(self, other: "Role") -> bool:
        """May somebody of this role do what needs the other?"""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


class ApiToken(Base):
    """One program's right to call the API. Only a hash of its secret is kept."""

    __tablename__ = "api_token"

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(sa.String(256))
    scope: Mapped[str] = mapped_column(sa.String(16))  # read, write or admin; each has what stands before it
    secret_hash: Mapped[str] = mapped_column(sa.String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        partial_index("uq_api_token_name_live", "name", unique=True, where="revoked_at IS NULL"),
    )

    @property
    def state(self) -> str:
        """`valid`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= utcnow() else "valid"


class Operator(Base):
    """A person who works in the console."""

    __tablename__ = "operator"

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(sa.String(254))  # as it was given
    email_folded: Mapped[str] = mapped_column(sa.String(254), unique=True)  # as it is looked up
    name: Mapped[str] = mapped_column(sa.String(256))
    role: Mapped[str] = mapped_column(sa.String(16))
    # True for the operator of the set-up page, else None. Unique, so that the page makes only one.
    is_first: Mapped[bool | None] = mapped_column(unique=True)
    password_hash: Mapped[str | None] = mapped_column(sa.String(255))  # none until an invitation is accepted
    password_changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    totp_sealed: Mapped[str | None] = mapped_column(sa.Text, info=SEALED)
    totp_enabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # none while it is being set up
    totp_last_step: Mapped[int | None] = mapped_column(sa.BigInteger)  # a code is good once
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    signed_out_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # in every browser
    last_login_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failure_noted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    def may(self, role: Role) -> bool:
        """Does this operator's role cover that one?"""
        return Role(self.role).covers(role)

    @property
    def has_second_factor(self) -> bool:
        """Is a code asked for after the password?"""
        return self.totp_enabled_at is not None

    @property
    def state(self) -> str:
        """`active`, `invited` until a password is chosen, or `disabled`."""
        if self.disabled_at is not None:
            return "disabled"
        return "active" if self.password_hash is not None else "invited"


class OperatorSession(Base):
    """One browser in which an operator is logged in. The cookie holds a token; we store its hash."""

    __tablename__ = "operator_session"

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True, default=new_id)
    operator_id: Mapped[str] = mapped_column(sa.ForeignKey(Operator.id), index=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)  # when the password was given
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    address: Mapped[str] = mapped_column(sa.String(64))
    user_agent: Mapped[str] = mapped_column(sa.String(80))  # in words: Firefox on Linux

    operator: Mapped[Operator] = relationship(lazy="joined", innerjoin=True)


class RecoveryCode(Base):
    """What an operator may enter once in place of a code from the phone."""

    __tablename__ = "operator_recovery_code"

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True, default=new_id)
    operator_id: Mapped[str] = mapped_column(sa.ForeignKey(Operator.id))
    code_hash: Mapped[str] = mapped_column(sa.String(64))
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (sa.UniqueConstraint("operator_id", "code_hash"),)


class OneTimeLink(Base):
    """A link that lets somebody choose a password once, or set up the console while it has no operator."""

    __tablename__ = "operator_link"

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True, default=new_id)
    operator_id: Mapped[str | None] = mapped_column(sa.ForeignKey(Operator.id), index=True)  # none: set-up
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
