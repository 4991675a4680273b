"""What we sign and browsers send back: the cookie, the tokens of forms and their hidden values."""

import hmac
from functools import lru_cache
from typing import Any

from itsdangerous import TimedSerializer, TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode, want_bytes
from itsdangerous.signer import HMACAlgorithm

MIN_COMPRESSED = 512  # bytes; to compress less takes longer than it saves


class Algorithm(HMACAlgorithm):
    """The usual HMAC with SHA-1, in one call of OpenSSL."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        """Return the signature of a value."""
        return hmac.digest(key, value, "sha1")


class Signer(TimestampSigner):
    """Signs as itsdangerous does, but derives its keys once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._derived: dict[bytes, bytes] = {}

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        """Return the key for this purpose that follows from a secret."""
        secret = self.secret_key if secret_key is None else want_bytes(secret_key)
        if secret not in self._derived:
            self._derived[secret] = super().derive_key(secret)
        return self._derived[secret]


class Serializer(URLSafeTimedSerializer):
    """Signs what itsdangerous reads, and reads what it has signed. It compresses only long values."""

    def __init__(self, keys: tuple[str, ...], salt: str, **options: Any) -> None:
        how = {"algorithm": Algorithm(), **options.pop("signer_kwargs", {})}
        super().__init__(list(keys), salt=salt, signer=Signer, signer_kwargs=how, **options)
        self._signer = Signer(self.secret_keys, salt=self.salt, **self.signer_kwargs)

    def make_signer(self, _salt: str | bytes | None = None) -> TimestampSigner:
        """Return what signs. There is one, because nobody asks for another salt."""
        return self._signer

    def dump_payload(self, obj: Any) -> bytes:
        """Return a value as text, before it is signed."""
        plain = TimedSerializer.dump_payload(self, obj)
        return base64_encode(plain) if len(plain) < MIN_COMPRESSED else super().dump_payload(obj)

    def sign(self, value: Any) -> str:
        """Return a value, signed."""
        signed = self.dumps(value)
        return signed.decode() if isinstance(signed, bytes) else signed


@lru_cache(maxsize=64)
def serializer(keys: tuple[str, ...], salt: str) -> Serializer:
    """Return a serializer that signs with the last key, and reads what any of them has signed."""
    return Serializer(keys, salt)
