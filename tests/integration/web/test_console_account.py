"""One's own account, and those of others, over HTTP."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from itertools import count

import pytest

from service.accounts.members import Member
from service.accounts.roles import Role
from service.clinics import SAMPLE_CLINIC
from tests.support.accounts import GOOD, add_member, add_second_factor, code_of
from tests.support.pages import summary_of
from tests.support.visitor import Visitor, forms_of
from tests.support.web import Site, site

NEW = "seven copper umbrellas"
SESSION = "__Host-aftervisit"
OTHER = SAMPLE_CLINIC.model_copy(update={"id": "hillside", "name": "Hillside Clinic"})
_numbers = count(1)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site of two clinics, where no e-mail is set up."""
    with site(tmp_path_factory.mktemp("desk"), trusted_proxies="127.0.0.1") as running:
        running.core.clinics["hillside"] = OTHER  # type: ignore[index]
        yield running


def new_visitor(
    desk: Site, role: Role = Role.STAFF, *clinics: str, language: str = "en"
) -> tuple[Visitor, Member]:
    """A browser in which a new member is signed in."""
    number = next(_numbers)
    member = add_member(
        desk.core,
        f"{role}{number}@riverside.example",
        role,
        name=f"Eva {number}",
        clinics=clinics,
        language=language,
    )
    visitor = Visitor(desk, address=f"198.51.100.{number}")
    visitor.fill("sign-in", email=member.email, password=GOOD)
    assert is_in(visitor)
    return visitor, desk.core.accounts.load(member.id)


def is_in(visitor: Visitor) -> bool:
    return visitor.see("account").url.path.endswith("/account")


def test_a_language_is_chosen_and_the_console_follows(desk: Site) -> None:
    visitor, _ = new_visitor(desk)
    answer = visitor.fill("account", "account/language", language="es")
    assert answer.headers["location"].endswith("account?done=saved")
    page = visitor.see("account?done=saved")
    assert "<h1>Su cuenta</h1>" in page.text
    assert "Guardado." in page.text


def test_another_password_ends_every_other_session_and_renews_this_one(desk: Site) -> None:
    visitor, member = new_visitor(desk)
    elsewhere = Visitor(desk)
    elsewhere.fill("sign-in", email=member.email, password=GOOD)
    before = visitor.cookies[SESSION]
    for current, new, told in (
        ("wrong lantern over moss", NEW, "not your password"),
        (GOOD, "short", "12 characters"),
        (GOOD, "EvaEvaEva2026!", "soon guessed"),
    ):
        answer = visitor.fill("account/password", "password", current=current, password=new)
        assert answer.status_code == 422
        assert told in answer.text
        assert new not in answer.text
    answer = visitor.fill("account/password", "password", current=GOOD, password=NEW)
    assert answer.headers["location"].endswith("done=password")
    assert visitor.cookies[SESSION] != before
    assert is_in(visitor)
    assert not is_in(elsewhere)


def test_a_second_factor_is_set_up_renewed_and_taken_away(desk: Site) -> None:
    visitor, member = new_visitor(desk)
    page = visitor.see("account/second-factor")
    shown = re.search(r"<code>([A-Z2-7 ]+)</code>", page.text)
    assert shown
    code = code_of(desk.core, shown[1].replace(" ", ""))
    wrong = visitor.send(page, "second-factor", current=GOOD, code="000000")
    assert wrong.status_code == 422
    assert shown[1] in wrong.text
    done = visitor.send(wrong, "second-factor", current=GOOD, code=code)
    assert done.status_code == 200
    codes = re.findall(r"<li><code>([0-9a-z-]+)</code></li>", done.text)
    assert len(codes) == 10
    sign_out = next(form for form in forms_of(done.text) if form.action.endswith("sign-out"))
    session = desk.core.sessions.find(visitor.cookies[SESSION])
    assert session is not None
    assert sign_out.fields["form_token"] == session.csrf, "of the session that has begun"
    assert "codes left: 10" in visitor.see("account").text
    again = visitor.fill("account/codes", "codes", current=GOOD)
    assert (
        len(set(re.findall(r"<li><code>([0-9a-z-]+)</code></li>", again.text)) - set(codes)) == 10
    )
    answer = visitor.fill("account/second-factor/remove", "remove", current="no")
    assert answer.status_code == 422
    visitor.fill("account/second-factor/remove", "remove", current=GOOD)
    assert not desk.core.accounts.load(member.id).second_factor
    assert is_in(visitor)


@pytest.mark.parametrize("path", ["account/codes", "account/second-factor/remove"])
def test_what_asks_for_the_password_asks_again_where_it_is_wrong(desk: Site, path: str) -> None:
    visitor, _ = new_visitor(desk)
    page = visitor.see(path).text
    (title,) = re.findall("<h1>([^<]+)</h1>", page)
    answer = visitor.fill(path, path, current="not this one")
    assert answer.status_code == 422
    assert f"<h1>{title}</h1>" in answer.text
    assert [field for field, _ in summary_of(answer)] == ["current"]


def test_sessions_are_listed_and_ended_one_by_one_or_all(desk: Site) -> None:
    visitor, member = new_visitor(desk)
    phone, tablet = Visitor(desk), Visitor(desk)
    for each in (phone, tablet):
        each.fill("sign-in", email=member.email, password=GOOD)
    page = visitor.see("account")
    assert page.text.count("Firefox, Linux") == 3
    assert page.text.count("this one") == 1
    ends = [form for form in forms_of(page.text) if form.action.endswith("sessions/end")]
    assert len(ends) == 2
    visitor.ask("POST", "account/sessions/end", ends[0].fields)
    assert [is_in(phone), is_in(tablet)].count(True) == 1
    answer = visitor.send(visitor.see("account"), "end-all")
    assert "sign-in" in answer.headers["location"]
    assert not any(is_in(each) for each in (visitor, phone, tablet))


def test_nobody_ends_a_session_of_somebody_else(desk: Site) -> None:
    visitor, _ = new_visitor(desk)
    other, _ = new_visitor(desk)
    session = desk.core.sessions.id_of(other.cookies[SESSION])
    token = forms_of(visitor.see("account").text)[0].fields["form_token"]
    visitor.ask("POST", "account/sessions/end", {"form_token": token, "session": session})
    assert is_in(other)


def test_an_administrator_invites_somebody_who_signs_in_and_is_listed(desk: Site) -> None:
    boss, _ = new_visitor(desk, Role.ADMIN)
    page = boss.fill(
        "members/new", "members", name="Ben <b>", email="ben@hillside.example", role="viewer"
    )
    assert page.status_code == 200
    assert "Ben &lt;b&gt;" in page.text
    link = re.search(
        r"<code>https://drip.clinic.example/console/(invitation/\S+)</code>", page.text
    )
    assert link
    ben = Visitor(desk)
    ben.fill(link[1], password=NEW)
    assert is_in(ben)
    row = boss.see("members").text.partition("ben@hillside.example")[2].partition("</tr>")[0]
    assert "Viewer" in row
    assert "Active" in row
    assert "All" in row
    assert ben.see("members").status_code == 403


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"email": "no address"}, "one @ sign"),
        ({"name": " "}, "1 to 80"),
        ({"role": "root"}, "Choose a role"),
        ({"language": "fr"}, "not written in that language"),
        ({"clinics": "elsewhere"}, "one of your clinics"),
    ],
)
def test_what_cannot_be_used_is_told_and_what_was_typed_stays(
    desk: Site, typed: dict[str, str], told: str
) -> None:
    boss, _ = new_visitor(desk, Role.ADMIN)
    form = {"name": "Typed Name", "email": "typed@riverside.example", "role": "staff", **typed}
    answer = boss.fill("members/new", "members", **form)
    assert answer.status_code == 422
    assert told in answer.text
    assert all(f'value="{form[name]}"' in answer.text for name in ("name", "email"))


def test_all_that_is_wrong_with_an_invitation_is_told_at_once(desk: Site) -> None:
    boss, _ = new_visitor(desk, Role.ADMIN, "riverside")
    answer = boss.fill("members/new", "members", name="", email="nobody", role="staff", clinics="")
    assert answer.status_code == 422
    assert [field for field, _ in summary_of(answer)] == ["name", "email", "clinics"]


def test_an_address_that_is_taken_is_told(desk: Site) -> None:
    boss, member = new_visitor(desk, Role.ADMIN)
    form = {"name": "Typed Name", "email": member.email, "role": "staff"}
    answer = boss.fill("members/new", "members", **form)
    assert "has that e-mail address already" in answer.text


def invited(boss: Visitor, email: str) -> str:
    """What an administrator of one clinic is told who invites somebody."""
    form = {"name": "Typed Name", "email": email, "role": "staff", "clinics": "riverside"}
    answer = boss.fill("members/new", "members", **form)
    if answer.status_code != 422:
        return ""
    _, _, told = answer.text.partition('href="#email">')
    return html.unescape(told.partition("</a>")[0])


def test_who_is_a_member_elsewhere_is_told_but_few_times_a_day_and_to_the_audit(
    desk: Site,
) -> None:
    boss, member = new_visitor(desk, Role.ADMIN, "riverside")
    _, here = new_visitor(desk, Role.STAFF, "riverside")
    strangers = [new_visitor(desk, Role.STAFF, "hillside")[1] for _ in range(6)]
    for _ in range(6):
        assert "already" in invited(boss, here.email), "of their own clinic they see that anyway"
    for there in strangers[:5]:
        assert "ask an administrator of every clinic" in invited(boss, there.email).lower()
    told = invited(boss, strangers[5].email)
    assert "tomorrow" in told
    assert invited(boss, "nobody@riverside.example") == told, "it tells of nobody any more"
    theirs, _ = new_visitor(desk, Role.ADMIN, "hillside")
    assert theirs.see("audit?kind=accounts").text.count("in vain") == 5
    assert "in vain" not in boss.see("audit?kind=accounts").text
    desk.wait(24 * 60)
    boss.fill("sign-in", email=member.email, password=GOOD)
    assert invited(boss, "nobody@riverside.example") == ""


def test_who_sees_every_clinic_is_told_who_is_a_member_as_often_as_they_ask(desk: Site) -> None:
    boss, _ = new_visitor(desk, Role.ADMIN)
    _, there = new_visitor(desk, Role.STAFF, "hillside")
    for _ in range(7):
        assert invited(boss, there.email) == "A member of staff has that e-mail address already."


def test_an_administrator_changes_disables_and_lets_in_again(desk: Site) -> None:
    boss, _ = new_visitor(desk, Role.ADMIN)
    visitor, member = new_visitor(desk)
    path = f"members/{member.id}"
    boss.fill(path, "access", role="viewer", clinics="hillside")
    changed = desk.core.accounts.load(member.id)
    assert (changed.role, changed.clinics) == (Role.VIEWER, ("hillside",))
    assert not is_in(visitor)
    boss.fill(path, "disable")
    assert "cannot sign in any more" in boss.see(f"{path}?done=disabled").text
    refused = visitor.fill("sign-in", email=member.email, password=GOOD)
    assert refused.status_code == 422
    boss.fill(path, "enable")
    visitor.fill("sign-in", email=member.email, password=GOOD)
    assert is_in(visitor)
    boss.fill(path, f"{member.id}/sessions")
    assert not is_in(visitor)


def test_an_administrator_helps_who_has_lost_phone_and_password(desk: Site) -> None:
    boss, _ = new_visitor(desk, Role.ADMIN)
    _, member = new_visitor(desk)
    add_second_factor(desk.core, member)
    boss.fill(f"members/{member.id}", f"{member.id}/second-factor")
    assert not desk.core.accounts.load(member.id).second_factor
    page = boss.fill(f"members/{member.id}", f"{member.id}/link")
    link = re.search(r"/console/(reset/[^<]+)</code>", page.text)
    assert link
    visitor = Visitor(desk)
    visitor.fill(link[1], password=NEW)
    assert is_in(visitor)


def test_an_administrator_of_one_clinic_has_nothing_to_do_with_another(desk: Site) -> None:
    _, everywhere = new_visitor(desk, Role.ADMIN)
    _, there = new_visitor(desk, Role.STAFF, "hillside")
    _, both = new_visitor(desk, Role.STAFF, "riverside", "hillside")
    boss, _ = new_visitor(desk, Role.ADMIN, "riverside")
    _, here = new_visitor(desk, Role.STAFF, "riverside")
    listed = boss.see("members").text
    assert here.email in listed
    token = forms_of(listed)[0].fields["form_token"]
    for member in (everywhere, there, both):
        assert member.email not in listed
        assert boss.see(f"members/{member.id}").status_code == 404
        for action in ("access", "disable", "enable", "link", "second-factor", "sessions"):
            form = {"form_token": token, "role": "viewer", "clinics": "riverside"}
            answer = boss.ask("POST", f"members/{member.id}/{action}", form)
            assert answer.status_code == 404, action
        assert desk.core.accounts.load(member.id) == member
    for clinics in ("", "hillside"):
        form = {"form_token": token, "role": "admin", "clinics": clinics, "name": "X"}
        made = boss.ask("POST", "members", {**form, "email": "new@riverside.example"})
        assert made.status_code == 422
        answer = boss.ask("POST", f"members/{here.id}/access", form)
        assert answer.status_code == 422
    assert desk.core.accounts.load(here.id).clinics == ("riverside",)


def test_a_member_that_never_was_is_not_found(desk: Site) -> None:
    boss, _ = new_visitor(desk, Role.ADMIN)
    for identifier in ("000000000000", "x", "..%2f"):
        assert boss.see(f"members/{identifier}").status_code == 404


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_page_is_whole_in_both_languages(desk: Site, language: str) -> None:
    boss, member = new_visitor(desk, Role.ADMIN, language=language)
    pages = ["account", "account/password", "account/second-factor", "account/codes", "members"]
    pages += ["account/second-factor/remove", "members/new", f"members/{member.id}"]
    for path in pages:
        page = boss.see(path)
        assert page.status_code == 200, path
        assert f'<html lang="{language}">' in page.text
        assert "style=" not in page.text
        ids = re.findall(r'\bid="([^"]+)"', page.text)
        assert len(ids) == len(set(ids)), path
