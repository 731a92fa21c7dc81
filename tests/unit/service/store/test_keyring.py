from __future__ import annotations

import base64
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import ConfigurationError
from service.store.keyring import (
    Index,
    InvalidToken,
    KeyMissing,
    KeyRing,
    Tampered,
    new_index_key,
)

RING = KeyRing.parse("new:" + base64.b64encode(b"n" * 32).decode())
OTHER = KeyRing.parse("new:" + base64.b64encode(b"o" * 32).decode())
WIDE = KeyRing.parse(RING.text() + ",old:" + base64.b64encode(b"p" * 32).decode())
INDEX = Index(b"i" * 32)
purposes = st.text(string.ascii_lowercase, min_size=1, max_size=12)


@given(st.binary(max_size=500), st.binary(max_size=40))
def test_what_was_encrypted_for_a_place_opens_there(plaintext: bytes, place: bytes) -> None:
    assert RING.decrypt(RING.encrypt(plaintext, place), place) == plaintext


@given(st.binary(max_size=50), st.binary(max_size=40), st.binary(max_size=40))
def test_what_was_encrypted_for_one_place_does_not_open_in_another(
    plaintext: bytes, place: bytes, other: bytes
) -> None:
    blob = RING.encrypt(plaintext, place)
    if place != other:
        with pytest.raises(Tampered):
            RING.decrypt(blob, other)


@given(st.binary(max_size=50), st.data())
def test_a_value_with_any_bit_changed_does_not_open(plaintext: bytes, data: st.DataObject) -> None:
    blob = bytearray(RING.encrypt(plaintext, b"patient"))
    at = data.draw(st.integers(0, len(blob) * 8 - 1))
    blob[at // 8] ^= 1 << at % 8
    with pytest.raises((Tampered, KeyMissing)):
        RING.decrypt(bytes(blob), b"patient")


@given(st.binary(max_size=50), st.data())
def test_a_value_cut_short_does_not_open(plaintext: bytes, data: st.DataObject) -> None:
    blob = RING.encrypt(plaintext, b"patient")
    with pytest.raises(Tampered):
        RING.decrypt(blob[: data.draw(st.integers(0, len(blob) - 1))], b"patient")


@given(st.binary(max_size=80))
def test_bytes_of_any_other_kind_do_not_open(blob: bytes) -> None:
    with pytest.raises((Tampered, KeyMissing)):
        RING.decrypt(blob, b"patient")


def test_two_encryptions_of_one_value_differ() -> None:
    assert RING.encrypt(b"same", b"place") != RING.encrypt(b"same", b"place")


def test_the_plaintext_is_not_in_what_is_stored() -> None:
    assert b"+15035550142" not in RING.encrypt(b"+15035550142", b"patient")


def test_a_rotated_ring_reads_the_old_and_writes_the_new() -> None:
    old = KeyRing.generate()
    blob = old.encrypt(b"phone", b"patient")
    new = old.with_new_key()
    assert new.decrypt(blob, b"patient") == b"phone"
    assert new.ids == (new.current, *old.ids)
    assert new.key_id_of(blob) == old.current
    assert new.key_id_of(new.encrypt(b"phone", b"patient")) == new.current != old.current


def test_a_lost_key_is_named_with_what_to_do() -> None:
    old = KeyRing.generate()
    blob = old.encrypt(b"phone", b"patient")
    with pytest.raises(KeyMissing, match="AFTERVISIT_SECRET_KEYS") as raised:
        KeyRing.generate().decrypt(blob, b"patient")
    assert raised.value.key_id == old.current
    assert old.current in str(raised.value)


def test_another_key_under_the_same_id_does_not_open_and_says_so() -> None:
    with pytest.raises(Tampered, match="another one"):
        OTHER.decrypt(RING.encrypt(b"phone", b"patient"), b"patient")


def test_a_key_that_is_no_longer_the_newest_still_opens() -> None:
    blob = KeyRing.parse(WIDE.text().split(",")[1]).encrypt(b"phone", b"patient")
    assert WIDE.decrypt(blob, b"patient") == b"phone"
    assert WIDE.key_id_of(blob) == "old"


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=5))
def test_a_ring_reads_what_it_writes(keys: list[bytes]) -> None:
    ring = KeyRing([(f"key-{i}", key) for i, key in enumerate(keys)])
    again = KeyRing.parse(ring.text())
    assert again.ids == ring.ids
    assert again.decrypt(ring.encrypt(b"x", b"y"), b"y") == b"x"


@pytest.mark.parametrize("separator", [",", "\n", " , ", "\r\n", ",\n"])
def test_keys_may_stand_on_lines_of_their_own(separator: str) -> None:
    assert KeyRing.parse(separator.join(WIDE.text().split(",")) + "\n").ids == ("new", "old")


def test_a_key_in_the_url_safe_alphabet_is_read() -> None:
    key = b"\xfb\xff" * 16
    ring = KeyRing.parse("a:" + base64.urlsafe_b64encode(key).decode())
    assert KeyRing([("a", key)]).decrypt(ring.encrypt(b"x", b""), b"") == b"x"


SECRET = base64.b64encode(b"s" * 32).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n,",
        SECRET,
        f":{SECRET}",
        f"a b:{SECRET}",
        f"é:{SECRET}",
        f"a-name-too-long-to-be-one:{SECRET}",
        f"a:{SECRET[:-4]}",
        f"a:{SECRET}AAAA",
        f"a:{SECRET[:-1]}",
        f"a:{SECRET[:-1]}*",
        f"a:{SECRET},a:{SECRET}",
        f"a:{SECRET};b:{SECRET}",
        "a:",
    ],
)
def test_a_ring_that_cannot_be_read_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        KeyRing.parse(text)
    assert SECRET[:20] not in str(raised.value)


def test_a_ring_does_not_show_its_keys() -> None:
    assert repr(WIDE) == "KeyRing(ids=('new', 'old'))"


# --- wrapped keys and the index


def test_the_index_key_survives_a_rotation() -> None:
    ring, key = KeyRing.generate(), new_index_key()
    wrapped = ring.wrap(key, "index")
    assert ring.with_new_key().unwrap(wrapped, "index") == key


def test_a_wrapped_key_opens_for_its_purpose_only() -> None:
    wrapped = RING.wrap(b"k" * 32, "index")
    with pytest.raises(Tampered):
        RING.unwrap(wrapped, "other")
    with pytest.raises(Tampered):
        RING.decrypt(wrapped, b"index")


def test_a_digest_is_the_same_for_ever_and_fits_a_key_name() -> None:
    digest = INDEX.digest("phone", "+15035550142")
    assert digest == "1P3uhfTqTDNoZF1MRWXHcg"
    assert set(digest) <= set(string.ascii_letters + string.digits + "-_")


@given(st.text(max_size=60), st.text(max_size=60))
def test_digests_are_equal_only_for_equal_values(one: str, other: str) -> None:
    assert (INDEX.digest("name", one) == INDEX.digest("name", other)) == (one == other)


def test_digests_of_one_text_differ_by_kind_and_by_key() -> None:
    digests = {
        INDEX.digest("phone", "x"),
        INDEX.digest("email", "x"),
        INDEX.digest("name", "x"),
        Index(b"j" * 32).digest("phone", "x"),
    }
    assert len(digests) == 4


def test_an_index_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Index(b"short")


# --- tokens


@given(purposes, st.binary(max_size=60))
def test_a_token_opens_for_its_purpose(purpose: str, payload: bytes) -> None:
    token = RING.seal_token(purpose, payload)
    assert set(token) <= set(string.ascii_letters + string.digits + "-_")
    assert RING.open_token(purpose, token) == payload


@given(purposes, purposes)
def test_a_token_does_not_open_for_another_purpose(purpose: str, other: str) -> None:
    token = RING.seal_token(purpose, b"subscription")
    if purpose != other:
        with pytest.raises(InvalidToken):
            RING.open_token(other, token)


@given(st.binary(max_size=20), st.data())
def test_a_token_with_any_character_changed_does_not_open(
    payload: bytes, data: st.DataObject
) -> None:
    token = RING.seal_token("unsubscribe", payload)
    at = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.characters(codec="utf-8").filter(lambda c: c != token[at]))
    with pytest.raises(InvalidToken):
        RING.open_token("unsubscribe", token[:at] + letter + token[at + 1 :])


@given(st.text(max_size=100))
def test_no_other_text_is_a_token(text: str) -> None:
    with pytest.raises(InvalidToken):
        RING.open_token("unsubscribe", text)


@pytest.mark.parametrize("extra", ["=", "==", "\n", " ", "A", "AAAA", "%3D"])
def test_a_token_has_one_spelling(extra: str) -> None:
    token = RING.seal_token("unsubscribe", b"subscription")
    with pytest.raises(InvalidToken):
        RING.open_token("unsubscribe", token + extra)


def test_a_token_under_a_lost_key_is_invalid_and_does_not_name_it() -> None:
    token = KeyRing.generate().seal_token("unsubscribe", b"subscription")
    with pytest.raises(InvalidToken, match=r"^This link is not valid"):
        RING.open_token("unsubscribe", token)


def test_a_stored_value_is_no_token_and_a_token_is_no_stored_value() -> None:
    blob = RING.encrypt(b"x", b"unsubscribe")
    with pytest.raises(InvalidToken):
        RING.open_token("unsubscribe", base64.urlsafe_b64encode(blob).rstrip(b"=").decode())
    token = RING.seal_token("unsubscribe", b"x")
    sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    with pytest.raises(Tampered):
        RING.decrypt(sealed, b"unsubscribe")
