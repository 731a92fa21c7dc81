"""The key ring: encryption of contacts, the index of hashed addresses, and tokens in links.

AES-256-GCM with a random nonce of 96 bits (NIST SP 800-38D allows 2**32 messages a key: rotate
long before). The parts of a sealed value: one byte with the length of the key's id, the id, the
nonce, the ciphertext with its tag. What a value is for is bound to it as associated data, so that
a value moved to another record, or a token used for another purpose, does not open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import re
import secrets
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.errors import AftervisitError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_DIGEST_BYTES = 16
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,16}")
_FORM = "Give id:base64 of 32 bytes, several with commas between them, the newest first"
KEYS_FILE = "secret_keys"


class KeyMissing(ConfigurationError):
    """A value is under a key that the ring does not have.

    Attributes:
        key_id: which.
    """

    def __init__(self, key_id: str) -> None:
        super().__init__(
            f"The key {key_id!r} is not in the key ring, and what it encrypted cannot be read "
            f"without it. Put it back into AFTERVISIT_SECRET_KEYS, the same on every machine, "
            f"or restore DATA_DIR/{KEYS_FILE} from the backup that belongs to this store."
        )
        self.key_id = key_id


class Tampered(AftervisitError):
    """A value does not open with the key it names: it was changed, moved, or cut short."""

    def __init__(self) -> None:
        super().__init__(
            "A stored value does not open with its key: it was changed or moved, or the key under "
            "that id is another one. Restore the keys or the store from the same backup."
        )


class InvalidToken(AftervisitError):
    """A token in a link is not one of ours, or was made for something else."""

    def __init__(self) -> None:
        super().__init__("This link is not valid. Use the link in the latest message.")


class KeyRing:
    """Keys by id, one of which encrypts, the newest unless told; all of them decrypt.

    Attributes:
        current: id of the key that encrypts.
        ids: all ids, newest first.
    """

    def __init__(self, keys: Sequence[tuple[str, bytes]]) -> None:
        self._keys = tuple(keys)
        self.ids = tuple(key_id for key_id, _ in keys)
        if not keys or len(set(self.ids)) != len(self.ids):
            raise ConfigurationError(f"The key ring is empty or names a key twice. {_FORM}.")
        if not all(_KEY_ID.fullmatch(key_id) for key_id in self.ids):
            raise ConfigurationError("A key's id is 1 to 16 letters, digits, '-' or '_'.")
        self._ciphers = {key_id.encode(): AESGCM(key) for key_id, key in keys}
        self.use(self.ids[0])

    def __repr__(self) -> str:
        return f"KeyRing(ids={self.ids})"

    def use(self, key_id: str) -> None:
        """Encrypt with this key from now on.

        Raises:
            KeyMissing: it is not in the ring.
        """
        cipher = self._ciphers.get(key_id.encode())
        if cipher is None:
            raise KeyMissing(key_id)
        self.current = key_id
        # One value, replaced at once: another thread never sees the head of one key with the
        # cipher of the other.
        self._sealing = (bytes([len(key_id)]) + key_id.encode(), cipher)

    def take_over(self, other: KeyRing) -> None:
        """Have the keys of another ring, and go on encrypting with the same one where it has it."""
        self._keys, self.ids, self._ciphers = other._keys, other.ids, other._ciphers
        self.use(self.current if self.current in self.ids else self.ids[0])

    @classmethod
    def parse(cls, text: str) -> KeyRing:
        """Read ``id:base64,id2:base64``, newest first; line breaks serve as commas too.

        Raises:
            ConfigurationError: it is not of that form; the keys themselves are not repeated.
        """
        keys: list[tuple[str, bytes]] = []
        for entry in filter(None, re.split(r"[,\s]+", text)):
            key_id, colon, encoded = entry.partition(":")
            try:
                key = base64.b64decode(encoded.translate(_TO_STANDARD), validate=True)
            except (binascii.Error, ValueError):
                key = b""
            if not colon or len(key) != KEY_BYTES:
                where = f"The key {key_id!r}" if colon else f"Entry {len(keys) + 1}"
                raise ConfigurationError(f"{where} of the key ring cannot be read. {_FORM}.")
            keys.append((key_id, key))
        return cls(keys)

    @classmethod
    def generate(cls) -> KeyRing:
        """A ring of one new random key."""
        return cls([_new_key()])

    def with_new_key(self) -> KeyRing:
        """The same ring with a new random key in front."""
        return KeyRing([_new_key(), *self._keys])

    def without(self, key_id: str) -> KeyRing:
        """The same ring less one key.

        Raises:
            ConfigurationError: it would be empty.
        """
        return KeyRing([entry for entry in self._keys if entry[0] != key_id])

    def text(self) -> str:
        """The form `parse` reads. It is the secret itself."""
        return ",".join(f"{i}:{base64.b64encode(key).decode()}" for i, key in self._keys)

    def encrypt(self, plaintext: bytes, associated: bytes) -> bytes:
        """Seal a value for the place that ``associated`` names (a record's id)."""
        return self._seal(plaintext, b"record\0" + associated)

    def decrypt(self, blob: bytes, associated: bytes) -> bytes:
        """Open what `encrypt` made for the same ``associated``, under any key of the ring.

        Raises:
            KeyMissing: its key is not in the ring.
            Tampered: it was changed, or made for another place.
        """
        return self._open(blob, b"record\0" + associated)

    def decrypt_texts(self, blob: bytes | None, associated: bytes) -> dict[str, str]:
        """Open texts by name that were sealed as JSON; empty where they were erased (None).

        Raises:
            KeyMissing: their key is not in the ring.
            Tampered: they were changed, or made for another place.
        """
        return {} if blob is None else dict(json.loads(self.decrypt(blob, associated)))

    def wrap(self, secret: bytes, purpose: str) -> bytes:
        """Seal a key (the index key) to be kept in the store."""
        return self._seal(secret, b"key\0" + purpose.encode())

    def unwrap(self, blob: bytes, purpose: str) -> bytes:
        """Open a wrapped key.

        Raises:
            KeyMissing: the key it is wrapped under is not in the ring.
            Tampered: it was changed, or wrapped for another purpose.
        """
        return self._open(blob, b"key\0" + purpose.encode())

    def seal_token(self, purpose: str, payload: bytes) -> str:
        """A token for links: URL-safe, opaque, and good for one purpose only."""
        sealed = self._seal(payload, b"token\0" + purpose.encode())
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open_token(self, purpose: str, token: str) -> bytes:
        """The payload of a token made for this purpose.

        Raises:
            InvalidToken: it is not one, whatever the reason.
        """
        try:
            sealed = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
            # Base64 ignores foreign characters and spare bits; one token has one spelling only.
            if base64.urlsafe_b64encode(sealed).rstrip(b"=").decode() == token:
                return self._open(sealed, b"token\0" + purpose.encode())
        except (binascii.Error, UnicodeError, KeyMissing, Tampered):
            pass
        raise InvalidToken

    def key_id_of(self, blob: bytes) -> str:
        """The id of the key that a value is under; it need not be in the ring.

        Raises:
            Tampered: it is no sealed value.
        """
        return _split(blob)[0].decode()

    def _seal(self, plaintext: bytes, associated: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        head, cipher = self._sealing
        return head + nonce + cipher.encrypt(nonce, plaintext, associated)

    def _open(self, blob: bytes, associated: bytes) -> bytes:
        key_id, nonce, sealed = _split(blob)
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise KeyMissing(key_id.decode())
        try:
            return cipher.decrypt(nonce, sealed, associated)
        except InvalidTag:
            raise Tampered from None


_TO_STANDARD = str.maketrans("-_", "+/")


def _split(blob: bytes) -> tuple[bytes, bytes, bytes]:
    """Key id, nonce, and ciphertext with tag."""
    end = 1 + blob[0] if blob else 0
    body = end + _NONCE_BYTES
    if len(blob) < body + _TAG_BYTES or not _KEY_ID.fullmatch(blob[1:end].decode("latin-1")):
        raise Tampered
    return blob[1:end], blob[end:body], blob[body:]


def _new_key() -> tuple[str, bytes]:
    return secrets.token_hex(3), secrets.token_bytes(KEY_BYTES)


class Index:
    """Keyed hashes that addresses and names are looked up by.

    The index key is made once at installation and kept in the store, wrapped by the ring: a
    rotation of the ring leaves every hash as it is.
    """

    def __init__(self, index_key: bytes) -> None:
        if len(index_key) != KEY_BYTES:
            raise ValueError(f"an index key has {KEY_BYTES} bytes")
        self._key = index_key

    def digest(self, kind: str, normalised: str) -> str:
        """22 URL-safe characters (128 bits) for a normalised value of a kind (``phone``)."""
        digest = hashlib.blake2b(
            normalised.encode(), digest_size=_DIGEST_BYTES, key=self._key, person=kind.encode()
        ).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def macs(self, kind: str, size: int) -> Callable[[str], bytes]:
        """A function from a text to that many bytes, which only this installation can compute.

        Made once a kind: of each call it spares the half that does not depend on the text.
        """
        person = b"mac:" + kind.encode()
        begun = hashlib.blake2b(digest_size=size, key=self._key, person=person)

        def mac(text: str) -> bytes:
            keyed = begun.copy()
            keyed.update(text.encode())
            return keyed.digest()

        return mac


def new_index_key() -> bytes:
    """A random key for an `Index`."""
    return secrets.token_bytes(KEY_BYTES)
