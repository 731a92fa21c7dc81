"""A nurse's day at the console, from the way in to the way out, with and without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Error, FilePayload, Locator, Page, expect

from service.store.keys import LAST_TICK
from tests.support.accounts import GOOD, add_member, add_second_factor, code_of
from tests.support.clinics import two_clinics
from tests.support.patient_files import patient, text
from tests.support.polling import until
from tests.support.web import Site, site

NOON = "2026-03-03T20:00:00"
"""Noon in Portland."""
URGENT = "since this morning my left leg is swollen and hot"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two clinics, reached by plain http on this machine."""
    directory = tmp_path_factory.mktemp("web")
    settings = {"clinics": two_clinics(directory), "clock": f"fast:1@{NOON}", "public_url": None}
    with site(directory, **settings) as running:
        running.core.client.set(LAST_TICK, running.core.machine.now_ms())
        yield running


@dataclass
class Day:
    """What a nurse does, in the words that the pages show her.

    Attributes:
        number: what tells her patients' phones from those of another day.
    """

    web: Site
    page: Page
    number: int

    def phone(self, which: int) -> str:
        """A number of this day."""
        return f"+1503{self.number}{which:04d}"

    def press(self, name: str) -> None:
        """A button, by what it says."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        """A link, by what it says."""
        self.page.get_by_role("link", name=name, exact=True).first.click()

    def told(self, words: str) -> None:
        """What came of a form, at the top of the page."""
        expect(self.page.get_by_role("status").first).to_contain_text(words)

    @property
    def main(self) -> Locator:
        """The page without its navigation."""
        return self.page.locator("main")

    def sign_in(self) -> None:
        """By password and a code of her phone."""
        email = f"nora{self.number}@riverside.example"
        member = add_member(self.web.core, email, name="Nora Nurse", clinics=("riverside",))
        secret, _ = add_second_factor(self.web.core, member)
        self.web.wait(minutes=1)  # a code is good once
        self.page.goto(f"{self.web.url}/console/")
        self.page.get_by_label("E-mail address").fill(email)
        self.page.get_by_label("Password").fill(GOOD)
        self.press("Sign in")
        self.page.get_by_label("Code").fill(code_of(self.web.core, secret))
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Today")

    def sees_to_an_escalation(self) -> None:
        """It is taken, answered, and closed with a note."""
        self.follow("Today")
        row = self.page.get_by_role("row").filter(has_text=URGENT)
        expect(row).to_contain_text("Urgent")
        row.get_by_role("button", name="I see to it").click()
        self.told("The task is yours.")
        self.page.get_by_role("row").filter(has_text=URGENT).get_by_role("link").click()
        expect(self.main).to_contain_text("Because of:")
        self.page.get_by_label("Your answer").fill("Please come in now; we are waiting for you.")
        self.press("Check before sending")
        expect(self.main).to_contain_text("It is paid as one text")
        self.press("Send it")
        self.told("Your answer is on its way.")
        expect(self.main).to_contain_text("Written by Nora Nurse.")
        self.page.get_by_text("Close", exact=True).first.click()
        self.page.get_by_label("What was done").fill("She comes in at one.")
        self.press("Close")
        self.told("The task is closed.")
        expect(self.main).to_contain_text("She comes in at one.")

    def enrols(self) -> None:
        """Cora, after a look at what she will get."""
        self.follow("Patients")
        self.follow("Enrol a patient")
        self.page.get_by_label("Given name").fill("Cora")
        self.page.get_by_label("Mobile phone").fill(f"(503) {self.number} 0002")
        self.page.get_by_label("How did they agree to texts?").select_option("verbal")
        self.press("See what they will get")
        expect(self.page.get_by_role("heading", level=1)).to_have_text("What Cora will get")
        expect(self.page.get_by_role("row")).to_have_count(46)
        self.press("Enrol Cora")
        self.told("Enrolled.")

    def finds(self, query: str, heading: str) -> None:
        """Cora, who is the newest of her name, by something of hers."""
        self.follow("Patients")
        self.page.get_by_label("Phone, e-mail, whole name").fill(query)
        self.press("Find")
        expect(self.page.get_by_role("heading", name=heading)).to_be_visible()
        assert query not in self.page.url
        self.follow("Cora")

    def pauses_and_resumes(self) -> None:
        """A series, by hand."""
        self.follow("Pause")
        self.press("Pause")
        self.told("Paused.")
        self.press("Resume")
        self.told("Resumed.")

    def corrects_the_phone(self) -> None:
        """It was mistyped, and the consent is asked for anew."""
        self.follow("Correct the phone")
        self.page.get_by_label("Mobile phone").fill(self.phone(3))
        self.press("Save the new address")
        expect(self.page.get_by_role("alert")).to_contain_text("Say how they agreed")
        self.page.get_by_label("How did they agree").select_option("verbal")
        self.press("Save the new address")
        self.told("Corrected.")
        expect(self.main).to_contain_text(self.phone(3))

    def reads_the_timeline(self) -> None:
        """All of the above stands there, and who did it."""
        happened = self.page.get_by_role("region", name="What happened")
        for words in ("Agreed to texts", "Paused", "By Nora Nurse.", "PST"):
            expect(happened).to_contain_text(words)

    def puts_a_reply_right(self) -> None:
        """What was taken for a goodbye was none."""
        self.page.get_by_label("Phone, e-mail, whole name").fill(self.phone(4))
        self.press("Find")
        self.follow("Ben")
        expect(self.main).to_contain_text("stopped by the patient")
        self.follow("Read the conversation")
        self.follow("Understood wrongly?")
        self.page.get_by_label("Wants no more messages by this channel").uncheck()
        self.page.get_by_label("Something for a person to read").check()
        self.press("Put it right")
        expect(self.page.get_by_role("alert")).to_be_visible()
        self.page.get_by_label("How do you know?").fill("He says that he meant a tablet.")
        self.press("Put it right")
        self.told("It is put right: the address is no longer stopped.")

    def imports(self) -> None:
        """A file with a row that cannot be, which is told and comes back as a file."""
        self.follow("Import")
        first = 1000 * self.number
        content = text(patient(first), patient(first + 1, phone="4.155551E+10"))
        file = FilePayload(name="march.csv", mimeType="text/csv", buffer=content.encode())
        self.page.set_input_files("input[type=file]", file)
        self.page.locator("select[name=method]").select_option("written")
        self.page.locator("main form button").click()
        with self.page.expect_download() as taken:
            self.page.get_by_text("Download the rejected rows").click()
        assert "4.155551E+10" in taken.value.path().read_text("utf-8-sig")
        self.press("Enrol 1 patient")
        expect(self.page.locator("progress")).to_be_visible()
        assert self.web.core.imports.go_on(self.page.url.rpartition("/")[2], "test", lambda: True)
        self.page.reload()
        expect(self.page.get_by_role("heading", level=1)).to_have_text("The file is imported")

    def sees_the_figures(self) -> None:
        """As plots, and as tables."""
        self.follow("Insight")
        expect(self.main.locator("figure svg").first).to_be_visible()
        self.page.get_by_text("As a table").first.click()
        expect(self.main.locator("details table").first).to_be_visible()

    def content(self) -> str:
        """The page as it stands; empty while it changes."""
        with suppress(Error):
            return self.page.content()
        return ""

    def signs_out(self) -> None:
        """From a patient's page; and whoever goes back sees nobody."""
        self.finds(self.phone(3), "Patients on this phone")
        expect(self.main).to_contain_text("Cora")
        self.press("Sign out")
        expect(self.page.get_by_text("You have signed out.")).to_be_visible()
        self.page.go_back()
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Sign in")
        for _ in range(4):
            with suppress(Error):  # what was the answer to a form, a browser does not ask for again
                self.page.go_back()
            shown = until(self.content, "the page before stands there")
            assert "Cora" not in shown
            assert self.phone(3) not in shown


@pytest.mark.parametrize("scripts", [True, False], ids=["with-scripts", "without-scripts"])
def test_a_nurse_goes_through_her_day(browser: Browser, web: Site, *, scripts: bool) -> None:
    context = browser.new_context(java_script_enabled=scripts, reduced_motion="reduce")
    day = Day(web, context.new_page(), 551 if scripts else 552)
    there = {"clinic": "riverside", "state": "OR"}
    web.enrol("Ana", phone=day.phone(1), **there)
    web.enrol("Ben", phone=day.phone(4), **there)
    assert web.text(day.phone(1), URGENT).status_code == 200
    assert web.text(day.phone(4), "please stop texting me").status_code == 200
    day.sign_in()
    day.sees_to_an_escalation()
    day.enrols()
    day.finds("Cora", "Patients of this name")
    day.finds(day.phone(2), "Patients on this phone")
    day.pauses_and_resumes()
    day.corrects_the_phone()
    day.reads_the_timeline()
    day.follow("Patients")
    day.puts_a_reply_right()
    day.imports()
    day.sees_the_figures()
    day.signs_out()
    context.close()


def test_a_patient_is_printed_without_what_only_a_screen_needs(browser: Browser, web: Site) -> None:
    context = browser.new_context()
    day = Day(web, context.new_page(), 553)
    web.enrol("Cora", phone=day.phone(3), clinic="riverside", state="OR")
    day.sign_in()
    day.follow("Patients")
    day.finds(day.phone(3), "Patients on this phone")
    day.page.emulate_media(media="print")
    expect(day.page.get_by_role("heading", level=1)).to_have_text("Cora")
    expect(day.page.get_by_text(re.compile("^Texts: by word of mouth"))).to_be_visible()
    for needless in ("nav", "header.bar", "button", "a.button", ".skip"):
        for each in day.page.locator(needless).all():
            expect(each).to_be_hidden()
    planned = day.page.locator("details li").first
    expect(planned).to_be_visible()
    context.close()
