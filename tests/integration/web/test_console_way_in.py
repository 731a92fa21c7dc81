"""The way into the console: over HTTP, as a browser goes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count

import pytest
from structlog.testing import capture_logs

from service.accounts.members import Member
from service.accounts.roles import Role
from tests.support.accounts import GOOD, add_member, add_second_factor, code_of
from tests.support.polling import until
from tests.support.visitor import Visitor
from tests.support.web import Site, site

WRONG = "wrong lantern over moss"
NEW = "seven copper umbrellas"
SESSION = "__Host-aftervisit"
_numbers = count(1)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that sends e-mail, where passwords are checked at once."""
    mail = {"smtp_url": "smtp://127.0.0.1:9", "mail_from": "Clinic <tips@clinic.example>"}
    with site(tmp_path_factory.mktemp("desk"), trusted_proxies="127.0.0.1", **mail) as running:
        yield running


@pytest.fixture
def ana(desk: Site) -> Member:
    return add_member(desk.core, f"ana{next(_numbers)}@riverside.example", Role.STAFF)


@pytest.fixture
def visitor(desk: Site) -> Visitor:
    return Visitor(desk, address=f"192.0.2.{next(_numbers)}")


def sign_in(visitor: Visitor, member: Member, password: str = GOOD, path: str = "sign-in") -> int:
    answer = visitor.fill(path, "sign-in", email=member.email, password=password)
    return answer.status_code


def is_in(visitor: Visitor) -> bool:
    return visitor.ask("GET", "").headers["location"].endswith("console/today")


def test_who_signs_in_gets_a_cookie_that_no_script_and_no_other_site_has(
    visitor: Visitor, ana: Member
) -> None:
    assert sign_in(visitor, ana) == 303
    session, known = visitor.set_cookies
    assert session.startswith(f"{SESSION}=")
    assert known.startswith(f"{SESSION}-known=")
    for line in (session, known):
        assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= set(line.split("; "))
        assert "Domain" not in line
    assert "Max-Age" not in session, "it goes with the browser"
    assert is_in(visitor)


def test_the_token_before_signing_in_is_not_the_one_after(visitor: Visitor, ana: Member) -> None:
    sign_in(visitor, ana)
    before = visitor.cookies[SESSION]
    visitor.site.core.sessions.find(before)
    visitor.cookies = {SESSION: before}
    answer = visitor.ask("POST", "sign-in", {"email": ana.email, "password": GOOD})
    assert answer.status_code == 303
    assert visitor.cookies[SESSION] != before
    assert visitor.site.core.sessions.find(before) is None, "the one it had is over"


def test_who_wanted_a_page_comes_to_it_after_signing_in(visitor: Visitor, ana: Member) -> None:
    page = visitor.see("patients/0123456789ab")
    assert page.url.path.endswith("/console/sign-in")
    answer = visitor.send(page, email=ana.email, password=GOOD)
    assert answer.headers["location"].endswith("console/patients/0123456789ab")
    assert visitor.see("sign-in").url.path != "/console/sign-in", "who is in is led on"


@pytest.mark.parametrize(
    "to",
    ["//evil.example", "https://evil.example", "../../x", "\\evil", "a/../../b", "javascript:1"],
)
def test_a_sign_in_leads_nowhere_else(visitor: Visitor, ana: Member, to: str) -> None:
    form = {"email": ana.email, "password": GOOD, "to": to}
    answer = visitor.ask("POST", "sign-in", form)
    assert answer.status_code == 303
    assert str(answer.url.join(answer.headers["location"])) == f"{visitor.site.url}/console/"


def test_wrong_unknown_and_locked_look_alike(desk: Site, ana: Member) -> None:
    told = set()
    for email in (ana.email, "nobody@riverside.example"):
        visitor = Visitor(desk, address=f"198.51.100.{next(_numbers)}")
        for _ in range(12):
            answer = visitor.ask("POST", "sign-in", {"email": email, "password": WRONG})
            assert (answer.status_code, visitor.cookies) == (422, {})
            told.add(answer.text.replace(email, ""))
    assert len(told) == 1
    (page,) = told
    assert WRONG not in page
    visitor = Visitor(desk, address="198.51.100.250")
    answer = visitor.ask("POST", "sign-in", {"email": ana.email, "password": GOOD})
    assert answer.text.replace(ana.email, "") == page, "locked, it is answered like a wrong one"


def test_a_form_of_another_site_signs_nobody_in(visitor: Visitor, ana: Member) -> None:
    form = {"email": ana.email, "password": GOOD}
    answer = visitor.ask("POST", "sign-in", form, sec_fetch_site="cross-site")
    assert (answer.status_code, visitor.cookies) == (403, {})


def test_a_second_factor_stands_between_the_password_and_the_console(
    visitor: Visitor, desk: Site, ana: Member
) -> None:
    _, codes = add_second_factor(desk.core, ana)
    assert sign_in(visitor, ana, path="sign-in?to=patients") == 303
    assert not is_in_at_all(visitor)
    page = visitor.see("second-factor?to=patients")
    wrong = visitor.send(page, code="000000")
    assert wrong.status_code == 422
    assert "not right" in wrong.text
    begun = visitor.cookies[SESSION]
    answer = visitor.send(page, code=codes[0])
    assert answer.headers["location"].endswith("console/patients")
    assert visitor.cookies[SESSION] != begun
    assert is_in(visitor)


def is_in_at_all(visitor: Visitor) -> bool:
    return "sign-in" not in visitor.ask("GET", "").headers["location"]


def test_without_a_password_there_is_no_second_step(visitor: Visitor) -> None:
    assert visitor.see("second-factor").url.path.endswith("/sign-in")
    answer = visitor.ask("POST", "second-factor", {"code": "000000"})
    assert answer.headers["location"].endswith("sign-in")


def test_signing_out_ends_the_session_on_the_server(visitor: Visitor, ana: Member) -> None:
    sign_in(visitor, ana)
    token = visitor.cookies[SESSION]
    page = visitor.see("no-such-page")
    answer = visitor.send(page, "sign-out")
    assert "done=signed_out" in answer.headers["location"]
    assert SESSION not in visitor.cookies
    visitor.cookies[SESSION] = token
    assert not is_in_at_all(visitor)
    assert "signed out" in visitor.see("sign-in?done=signed_out").text


def token_mailed(desk: Site, email: str, about: str) -> str:
    """The token of the link in an e-mail that waits to be sent."""
    core = desk.core

    def links() -> list[str]:
        queued = [each for n in range(core.partitions) for each in core.responses.waiting(n, 500)]
        sent = [q.response for q in queued if q.response.to == email]
        return [each.values["link"] for each in sent if each.message == about]

    until(lambda: bool(links()), "the e-mail is queued")
    return links()[-1].rpartition("/")[2]


def test_who_has_forgotten_the_password_gets_a_link_and_a_stranger_the_same_answer(
    visitor: Visitor, desk: Site, ana: Member
) -> None:
    known = visitor.fill("forgotten", email=ana.email)
    assert known.text == visitor.fill("forgotten", email="nobody@riverside.example").text
    assert known.text == visitor.fill("forgotten", email="no address").text
    token = token_mailed(desk, ana.email, "staff-reset")
    assert ana.email in visitor.see(f"reset/{token}").text
    page = visitor.see(f"reset/{token}")  # looking at it uses nothing up
    refused = visitor.send(page, password="short")
    assert refused.status_code == 422
    assert "12 characters" in refused.text
    assert visitor.send(page, password=NEW).status_code == 303
    assert is_in(visitor)
    dead = visitor.see(f"reset/{token}")
    assert dead.status_code == 404
    assert ana.email not in dead.text
    assert visitor.ask("POST", f"reset/{token}", {"password": GOOD}).status_code == 404
    assert sign_in(Visitor(desk, address="192.0.2.200"), ana, NEW) == 303


def test_who_was_invited_and_asks_for_a_link_is_answered_like_a_stranger(
    visitor: Visitor, desk: Site
) -> None:
    eva = add_member(desk.core, f"eva{next(_numbers)}@riverside.example", password=None)
    known = visitor.fill("forgotten", email=eva.email)
    assert known.text == visitor.fill("forgotten", email="nobody@riverside.example").text
    token = token_mailed(desk, eva.email, "staff-invite")
    assert visitor.fill(f"invitation/{token}", password=NEW).status_code == 303
    assert is_in(visitor)


def test_links_may_be_asked_for_so_often_from_one_place(visitor: Visitor) -> None:
    form = {"email": "nobody@riverside.example"}
    answers = [visitor.ask("POST", "forgotten", form).status_code for _ in range(21)]
    assert answers == [200] * 20 + [429]


def test_who_is_invited_chooses_a_password_in_their_language_and_is_in(
    visitor: Visitor, desk: Site
) -> None:
    sent = desk.core.invitations.invite(
        email="eva@riverside.example", name="Eva", role="viewer", language="es", source="test"
    )
    token = sent.link.rpartition("/")[2]
    assert sent.link == f"https://drip.clinic.example/console/invitation/{token}"
    page = visitor.see(f"invitation/{token}")
    assert "Elija una contraseña" in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert visitor.send(page, password=NEW).status_code == 303
    assert is_in(visitor)


def test_the_way_in_is_in_the_browsers_language(desk: Site) -> None:
    visitor = Visitor(desk, language="es-MX,es;q=0.9,en;q=0.5")
    for path, title in (("sign-in", "Iniciar sesión"), ("forgotten", "Una contraseña nueva")):
        page = visitor.see(path)
        assert f"<h1>{title}</h1>" in page.text
        assert '<html lang="es">' in page.text


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site where a second factor is required, as wherever real patients are reached."""
    with site(tmp_path_factory.mktemp("strict")) as running:
        running.core.sign_in.required = True
        yield running


def test_where_it_is_required_a_second_factor_is_set_up_on_the_way_in(strict: Site) -> None:
    visitor, core = Visitor(strict), strict.core
    ben = add_member(core, "ben@riverside.example", name="Ben")
    assert sign_in(visitor, ben, path="sign-in?to=patients") == 303
    page = visitor.see("second-factor?to=patients")
    assert "<svg" in page.text
    assert "style=" not in page.text
    shown = re.search(r"<code>([A-Z2-7 ]+)</code>", page.text)
    assert shown
    secret = shown[1].replace(" ", "")
    again = visitor.send(page, code="000000")
    assert again.status_code == 422
    assert shown[1] in again.text, "the same secret, since the app has it already"
    done = visitor.send(again, code=code_of(core, secret))
    codes = re.findall(r"<li><code>([0-9a-z-]+)</code></li>", done.text)
    assert len(codes) == 10
    assert "console/patients" in done.text
    assert is_in(visitor)
    other = Visitor(strict)
    sign_in(other, ben)
    assert other.fill("second-factor", code=codes[3]).status_code == 303
    assert is_in(other)


def test_a_secret_that_was_meddled_with_is_replaced_by_a_new_one(strict: Site) -> None:
    visitor = Visitor(strict)
    ben = add_member(strict.core, "ben2@riverside.example", name="Ben")
    sign_in(visitor, ben)
    page = visitor.see("second-factor")
    answer = visitor.send(page, code="000000", sealed="meddled")
    assert answer.status_code == 422
    assert "too long" in answer.text
    assert "<svg" in answer.text


def test_nothing_of_the_way_in_is_logged(desk: Site, ana: Member) -> None:
    visitor = Visitor(desk)
    with capture_logs() as lines:
        sign_in(visitor, ana)
        visitor.see("reset/" + "x" * 55)
        visitor.fill("forgotten", email=ana.email)
        token_mailed(desk, ana.email, "staff-reset")
    assert "/console/reset/{token}" in str(lines)
    for secret in (GOOD, ana.email, visitor.cookies[SESSION], "x" * 55):
        assert secret not in str(lines)
