"""Phone numbers and e-mail addresses: from what people type to one normal form.

The libraries are imported inside the functions: they take longer to load than a short command
such as `messages list` may take in all.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

_MAX_LENGTH: Final = 320  # RFC 3696: the longest e-mail address; no phone comes near it


class AddressError(ValueError):
    """The text is no address that can be written to; it is never repeated in the message.

    Attributes:
        code: stable and short, such as "phone_too_short", for row-level import errors and the API.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


_PHONE_SENTENCES: Final = {
    "phone_missing": "The phone number is missing: give one with its area code.",
    "phone_not_a_number": "This is not a phone number: give its digits, with the area code.",
    "phone_rounded": "A spreadsheet has rounded this phone number: format the column as text, "
    "then type the number again.",
    "phone_country": "The country of this phone number is unclear: start with + and the country "
    "code.",
    "phone_too_short": "The phone number has too few digits: give it with its area code.",
    "phone_too_long": "The phone number has too many digits: check it, and give one number only.",
    "phone_extension": "A text cannot reach an extension: give a mobile number without one.",
    "phone_invalid": "No such phone number can exist in that country: check its digits.",
    "phone_not_mobile": "This kind of number (landline, toll-free, premium or the like) gets no "
    "texts: give a mobile number.",
}

# North American plan: area code and exchange start with 2-9. Area codes open faster than the
# number tables in an installed library are renewed, so the shape is enough here; a number that
# turns out not to exist is refused by the provider at the first text (Twilio error 21211).
_NORTH_AMERICAN: Final = re.compile(r"[2-9][0-8]\d[2-9]\d{6}")
_NORTH_AMERICAN_TYPED: Final = re.compile(
    r"(?:\+?1[ .-]?)?(?:\(([2-9][0-9]{2})\) ?|([2-9][0-9]{2})[ .-]?)([2-9][0-9]{2})[ .-]?([0-9]{4})"
)
"""How nearly everybody there writes a number; read without the library, which takes far longer."""
_ROUNDED: Final = re.compile(r"\d[.,]\d+e\+?\d+", re.IGNORECASE)
_PLAIN_LOCAL: Final = re.compile(r"(?=.{1,64}$)[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*")
_LONGEST_USED: Final = 254  # RFC 3696, erratum 1690; what is longer the library words
_FLOAT_TAIL: Final = re.compile(r"(?<=\d{9})\.0+$")  # a spreadsheet's 15035550142.0


def _phone_error(code: str) -> AddressError:
    return AddressError(code, _PHONE_SENTENCES[code])


def parse_phone(text: str, region: str) -> str:
    """Return the number in E.164, such as "+15035550142".

    Args:
        text: as typed; spaces, brackets, dots and dashes are fine.
        region: ISO 3166 code, such as "US", of numbers written without a country code.

    Raises:
        AddressError: it is no number that could get a text; the code says in which way.
    """
    import phonenumbers  # noqa: PLC0415 - slow to load, see the module's docstring

    cleaned = _FLOAT_TAIL.sub("", text.strip())
    if not cleaned:
        raise _phone_error("phone_missing")
    if _ROUNDED.fullmatch(cleaned):
        raise _phone_error("phone_rounded")
    typed = _NORTH_AMERICAN_TYPED.fullmatch(cleaned)
    if typed and (cleaned[0] == "+" or phonenumbers.country_code_for_region(region.upper()) == 1):
        national = int("".join(filter(None, typed.groups())))
        number = phonenumbers.PhoneNumber(country_code=1, national_number=national)
    else:
        number = _parsed(cleaned[:_MAX_LENGTH], region.upper())
        if number.extension:
            raise _phone_error("phone_extension")
        _refuse_impossible(number)
    _refuse_without_texts(number)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _parsed(text: str, region: str) -> PhoneNumber:
    import phonenumbers  # noqa: PLC0415

    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        raise _phone_error(_parse_code(error.error_type)) from None


def _parse_code(error_type: int) -> str:
    from phonenumbers import NumberParseException as Fault  # noqa: PLC0415

    return {
        Fault.INVALID_COUNTRY_CODE: "phone_country",
        Fault.TOO_SHORT_AFTER_IDD: "phone_too_short",
        Fault.TOO_SHORT_NSN: "phone_too_short",
        Fault.TOO_LONG: "phone_too_long",
    }.get(error_type, "phone_not_a_number")


def _refuse_impossible(number: PhoneNumber) -> None:
    import phonenumbers  # noqa: PLC0415

    possible = phonenumbers.is_possible_number_with_reason(number)
    code = {
        phonenumbers.ValidationResult.IS_POSSIBLE: None,
        phonenumbers.ValidationResult.INVALID_COUNTRY_CODE: "phone_country",
        phonenumbers.ValidationResult.TOO_LONG: "phone_too_long",
        phonenumbers.ValidationResult.TOO_SHORT: "phone_too_short",
        phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "phone_too_short",
    }.get(possible, "phone_invalid")
    if code:
        raise _phone_error(code)


def _refuse_without_texts(number: PhoneNumber) -> None:
    import phonenumbers  # noqa: PLC0415
    from phonenumbers import PhoneNumberType as Kind  # noqa: PLC0415

    kind = phonenumbers.number_type(number)
    if kind == Kind.UNKNOWN:  # it is no valid number
        national = phonenumbers.national_significant_number(number)
        if number.country_code == 1 and _NORTH_AMERICAN.fullmatch(national):
            return
        raise _phone_error("phone_invalid")
    texts = {Kind.MOBILE, Kind.FIXED_LINE_OR_MOBILE, Kind.VOIP, Kind.PERSONAL_NUMBER}
    if kind not in texts:
        raise _phone_error("phone_not_mobile")


def parse_email(text: str) -> str:
    """Return the address in lower case, its domain in ASCII (IDNA).

    Lower case throughout, so that an opt-out covers the address however it is typed next time;
    ASCII, so that every mail server takes it. No lookup is made: whether the domain takes mail is
    learnt from the first bounce.

    Raises:
        AddressError: it is no e-mail address; the code says in which way.
    """
    cleaned = text.strip()
    if not cleaned:
        raise AddressError("email_missing", "The e-mail address is missing: give one.")
    if len(cleaned) > _MAX_LENGTH:
        raise AddressError("email_too_long", "The e-mail address is too long: check it.")
    if cleaned.count("@") != 1:
        raise AddressError(
            "email_at_sign", "An e-mail address has one @ sign: give one, such as name@example.org."
        )
    local, _, domain = cleaned.lower().rpartition("@")
    if _PLAIN_LOCAL.fullmatch(local):  # then all depends on the domain, which many share
        known = _known_domain(domain)
        if known and len(local) + 1 + len(known) <= _LONGEST_USED:
            return f"{local}@{known}"
    return _checked(cleaned)


@lru_cache(maxsize=4096)
def _known_domain(domain: str) -> str | None:
    """The domain in ASCII, None where addresses cannot have it."""
    try:
        return _checked(f"a@{domain}").partition("@")[2]
    except AddressError:
        return None


def _checked(text: str) -> str:
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415

    try:
        checked = validate_email(
            text,
            check_deliverability=False,
            allow_smtputf8=False,
            test_environment=True,  # lets .test domains (RFC 2606) through, for rehearsals
        )
    except EmailNotValidError as error:
        raise _email_error(text, error) from None
    return (checked.ascii_email or checked.normalized).lower()


def _email_error(text: str, error: Exception) -> AddressError:
    domain = text.partition("@")[2]
    if "." not in domain:
        return AddressError(
            "email_domain", "The part after the @ is incomplete: check it, such as example.org."
        )
    if "too long" in str(error):
        return AddressError("email_too_long", "The e-mail address is too long: check it.")
    return AddressError(
        "email_invalid", "This is not an e-mail address that mail can reach: check it for a typo."
    )
