"""Mail handed over by SMTP and LMTP: what it does to deliveries, mailboxes and the inbox."""

from __future__ import annotations

import smtplib
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations

import pytest

from schedules.delivery import State
from service.store.scripts import as_bytes
from service.store.tasks import TaskKind
from tests.support.letters import letter
from tests.support.listener import DOMAIN, Post, hand_over

DEAD = "bounce--bounce-5.1.1--postfix"
FULL = "bounce--bounce-5.2.2--postfix-full"
ANSWER = "reply--reply--gmail"
LEAVE = "leave--leave--gmail-button"
ARF = "complaint--complaint--yahoo-arf"


@pytest.fixture
def ana(mail: Post, email: str) -> str:
    """A patient with a mailbox; the id."""
    return mail.patient(email)


@pytest.fixture
def attempt(mail: Post, ana: str) -> str:
    """An e-mail that she was sent; the attempt's id."""
    return mail.sent(ana)


@pytest.mark.parametrize(
    "name",
    [
        DEAD,
        "bounce--bounce-5.1.1--exim",
        "bounce--bounce-5.1.10--exchange-365",
        "bounce--bounce-5.1.1--gmail",
        "bounce--bounce-5.1.1--qmail",
    ],
)
def test_a_mailbox_that_does_not_exist_is_not_written_to_again(
    mail: Post, ana: str, attempt: str, name: str
) -> None:
    assert mail.hand_over(name, mail.paths.bounce(attempt)) == 250
    assert mail.reached(attempt) == State.UNDELIVERED.code
    assert mail.why(ana) == "invalid"
    record = mail.core.dispatch_store.attempt(attempt)
    assert record is not None
    assert record.code.startswith("5.1.1")


def test_a_full_mailbox_is_given_up_at_its_third_bounce_and_not_by_copies(
    mail: Post, ana: str, attempt: str
) -> None:
    others = [mail.patients.new_attempt(ana) for _ in range(2)]
    for _ in range(4):  # four mail servers tell of one attempt
        assert mail.hand_over(FULL, mail.paths.bounce(attempt)) == 250
    assert mail.reached(attempt) == State.UNDELIVERED.code
    assert not mail.silent(ana)
    for number, other in enumerate(others):
        mail.copy_attempt(attempt, other)
        assert (
            mail.hand_over("bounce--bounce-4.4.1--postfix-expired", mail.paths.bounce(other)) == 250
        )
        assert mail.silent(ana) == (number == 1)
    assert mail.why(ana) == "invalid"


def test_a_bounce_of_a_mail_outside_of_any_series_counts_too(mail: Post, ana: str) -> None:
    to = mail.paths.bounce_of(mail.mailbox(ana))
    for number in range(2):
        for _ in range(3):
            assert mail.hand_over(FULL, to, message_id=f"{number}-{ana}@x") == 250
        assert not mail.silent(ana)
    assert mail.hand_over(DEAD, to) == 250
    assert mail.why(ana) == "invalid"


def test_a_refusal_of_us_says_nothing_of_the_mailbox(mail: Post, ana: str, attempt: str) -> None:
    for _ in range(4):
        assert (
            mail.hand_over("bounce--bounce-5.7.1--postfix-policy", mail.paths.bounce(attempt))
            == 250
        )
    assert mail.reached(attempt) == State.UNDELIVERED.code
    assert not mail.silent(ana)


def test_a_delay_is_no_failure_and_a_failure_after_it_counts(
    mail: Post, ana: str, attempt: str
) -> None:
    to = mail.paths.bounce(attempt)
    assert mail.hand_over("bounce--delayed-4.4.1--postfix-delay", to, message_id="same@x") == 250
    assert mail.reached(attempt) == State.SENT.code
    assert mail.hand_over(DEAD, to, message_id="same@x") == 250
    assert mail.reached(attempt) == State.UNDELIVERED.code
    assert mail.silent(ana)


def test_reports_in_any_order_and_number_end_alike(mail: Post, email: str) -> None:
    reports = (
        "bounce--delayed-4.4.1--postfix-delay",
        FULL,
        "bounce--delayed-2.0.0--postfix-relayed",
    )
    for number, order in enumerate(permutations(reports)):
        patient = mail.patient(f"{number}-{email}")
        attempt = mail.sent(patient)
        for name in (*order, *order):
            assert mail.hand_over(name, mail.paths.bounce(attempt)) == 250
        assert mail.reached(attempt) == State.UNDELIVERED.code
        assert not mail.silent(patient)


def test_a_complaint_ends_e_mail_and_no_start_lifts_it(mail: Post, ana: str, attempt: str) -> None:
    assert mail.hand_over(ARF, f"complaints@{DOMAIN}", path=mail.paths.bounce(attempt)) == 250
    assert mail.why(ana) == "complaint"
    ledger = mail.core.suppressions
    lifted = ledger.lift("email", mail.mailbox(ana), source="test", lifts=("stop", "one_click"))
    assert lifted.on
    assert mail.silent(ana)


def test_a_complaint_is_known_by_the_mailto_of_the_reported_mail_too(mail: Post, ana: str) -> None:
    path = mail.paths.leave(mail.mailbox(ana))
    assert mail.hand_over(ARF, f"complaints@{DOMAIN}", path=path) == 250
    assert mail.why(ana) == "complaint"


def test_what_is_not_spam_changes_nothing(mail: Post, ana: str, attempt: str) -> None:
    path = mail.paths.bounce(attempt)
    assert (
        mail.hand_over("complaint--not_spam--yahoo-arf", f"complaints@{DOMAIN}", path=path) == 250
    )
    assert not mail.silent(ana)


def test_a_complaint_about_somebody_elses_mail_is_refused(mail: Post) -> None:
    changes = mail.site.changes()
    forged = f"bounces+{'0' * 38}@{DOMAIN}"
    assert mail.hand_over(ARF, f"complaints@{DOMAIN}", path=forged) == 550
    assert mail.site.changes() == changes


def test_mail_to_leave_ends_e_mail_for_everybody_on_the_mailbox(
    mail: Post, ana: str, email: str
) -> None:
    ben = mail.patient(email, "Ben")
    assert mail.hand_over(LEAVE, mail.paths.leave(mail.mailbox(ana)), sender="ana@x.example") == 250
    assert (mail.why(ana), mail.why(ben)) == ("one_click", "one_click")


def test_mail_to_leave_works_from_any_sender_and_in_capitals(mail: Post, ana: str) -> None:
    to = mail.paths.leave(mail.mailbox(ana)).upper()
    assert mail.hand_over(LEAVE, to, sender="someone.else@x.example") == 250
    assert mail.silent(ana)


def test_an_answer_is_kept_for_staff_once(mail: Post, ana: str, attempt: str) -> None:
    to = mail.paths.reply(attempt, ana)
    keys = mail.core.suppressions.keys(mail.mailbox(ana))
    before = set(mail.core.client.scan_iter(match=keys.reply("*")))
    for _ in range(3):
        assert mail.hand_over(ANSWER, to, sender="ana@x.example", message_id="once@x") == 250
    (key,) = set(mail.core.client.scan_iter(match=keys.reply("*"))) - before
    sealed = mail.core.client.hget(key, "c")
    assert sealed is not None
    assert b"swollen" not in sealed
    assert b"swollen" in mail.core.keyring.decrypt(as_bytes(sealed), key)
    assert not mail.silent(ana)


def test_something_urgent_in_an_answer_is_put_before_staff(
    mail: Post, ana: str, attempt: str
) -> None:
    to = mail.paths.reply(attempt, ana)
    assert mail.hand_over(ANSWER, to, sender="ana@x.example") == 250
    tasks = [task for task in mail.core.tasks.waiting() if ana in task.patients]
    assert [task.kind for task in tasks] == [TaskKind.URGENT]


def answers(mail: Post, ana: str) -> list[tuple[str, str]]:
    """What waits to be sent to her mailbox: each message and its recipient."""
    partition = mail.core.suppressions.keys(mail.mailbox(ana)).partition
    waiting = mail.core.responses.waiting(partition, 100)
    own = [each for each in waiting if each.address == mail.mailbox(ana)]
    return [(each.response.message, each.response.to) for each in own]


def written(mail: Post, ana: str, attempt: str, body: str, name: str) -> None:
    to = mail.paths.reply(attempt, ana)
    content = (
        f"From: Somebody Else <else@x.example>\r\nTo: {to}\r\nSubject: Re: tips\r\n"
        f"Message-ID: <{name}-{attempt}@x.example>\r\n\r\n{body}\r\n"
    ).encode()
    with mail.client() as client:
        assert hand_over(client, "else@x.example", to, content) == 250


def test_an_answer_to_an_answer_goes_to_the_mailbox_that_we_wrote_to(
    mail: Post, ana: str, attempt: str, email: str
) -> None:
    for _ in range(3):
        written(mail, ana, attempt, "A good day. About a 6, I would say.", "rating")
    assert [each.rating for each in mail.core.check_ins.of(ana)] == [6]
    assert answers(mail, ana) == [("check-in-same", email)]


def test_who_writes_that_they_want_out_leaves_by_e_mail_and_is_told_so(
    mail: Post, ana: str, attempt: str, email: str
) -> None:
    written(mail, ana, attempt, "Please stop sending me these e-mails.", "leave")
    assert mail.why(ana) == "stop"
    assert answers(mail, ana) == [("goodbye", email)]


def test_what_only_a_person_can_answer_is_put_before_staff_and_told_so_once_a_day(
    mail: Post, ana: str, attempt: str, email: str
) -> None:
    for number in range(2):
        written(mail, ana, attempt, f"What about magnesium, question {number}?", f"q{number}")
    tasks = [task for task in mail.core.tasks.waiting() if ana in task.patients]
    assert [task.kind for task in tasks] == [TaskKind.REPLY, TaskKind.REPLY]
    assert answers(mail, ana) == [("auto-reply", email)]


def test_an_automatic_answer_is_recorded_and_changes_nothing(
    mail: Post, ana: str, attempt: str
) -> None:
    name = "bounce--automatic--exchange-out-of-office"
    changes = mail.site.changes()
    assert mail.hand_over(name, mail.paths.bounce(attempt)) == 250
    assert mail.site.changes() == changes + 1
    assert mail.reached(attempt) == ""
    assert not mail.silent(ana)


@pytest.mark.parametrize(
    "to", [f"bounces@{DOMAIN}", f"bounces+{'0' * 38}@{DOMAIN}", f"staff@{DOMAIN}", "a@b.example"]
)
def test_what_is_not_ours_is_refused_and_nothing_is_passed_on(mail: Post, to: str) -> None:
    with mail.client() as client:
        client.mail("a@b.example")
        code, _ = client.rcpt(to)
        assert code == 550
        assert client.docmd("DATA")[0] == 503


def test_a_forged_bounce_is_refused(mail: Post, ana: str, attempt: str) -> None:
    genuine = mail.paths.bounce(attempt)
    forged = [
        genuine.replace("bounces+", "reply+"),
        mail.paths.reply(attempt, ana).replace("reply+", "bounces+"),
        genuine[:-20].replace("+", "+0") + genuine[-20:],
    ]
    for to in forged:
        assert mail.hand_over(DEAD, to) == 550
    assert mail.reached(attempt) == ""


def test_a_conversation_takes_one_recipient_at_a_time_and_many_mails(
    mail: Post, email: str
) -> None:
    people = [mail.patient(f"{number}-{email}") for number in range(3)]
    attempts = [mail.sent(patient) for patient in people]
    with mail.client() as client:
        for number, attempt in enumerate(attempts):
            to = mail.paths.bounce(attempt)
            content = letter(DEAD, path=to, message_id=f"{attempt}@x")
            client.mail("")
            assert client.rcpt(to)[0] == 250
            assert client.rcpt(mail.paths.bounce(attempts[0]))[0] == 452
            assert client.data(content)[0] == 250
            assert mail.silent(people[number])


def test_fifty_copies_at_once_count_once(mail: Post, ana: str, attempt: str) -> None:
    to, changes = mail.paths.bounce(attempt), mail.site.changes()
    content = letter(FULL, path=to, message_id="fifty@x")

    def one(_: int) -> int:
        while True:
            try:
                with mail.client() as client:
                    return hand_over(client, "", to, content)
            except (smtplib.SMTPConnectError, smtplib.SMTPServerDisconnected):
                continue  # too many at once; a mail server tries again

    with ThreadPoolExecutor(50) as pool:
        assert set(pool.map(one, range(50))) == {250}
    assert mail.site.changes() == changes + 1
    assert mail.reached(attempt) == State.UNDELIVERED.code
    assert not mail.silent(ana)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 5000,
        b"\xff\xfe" * 3000,
        b"From: a\r\n" * 5000,
        b"Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\n--x--",
        b"x" * 60_000,
        b"Subject: =?utf-8?b?//79?=\r\nContent-Type: text/plain; charset=\x00\r\n\r\n\xc3\x28",
    ],
    ids=range(7),
)
def test_mail_of_no_sense_is_taken_and_breaks_nothing(
    mail: Post, attempt: str, content: bytes
) -> None:
    with mail.client() as client:
        assert hand_over(client, "", mail.paths.bounce(attempt), content) == 250
        assert client.noop()[0] == 250


def test_mail_that_is_too_large_is_refused_and_the_listener_lives(
    mail: Post, attempt: str, ana: str
) -> None:
    with mail.client() as client:
        assert int(client.esmtp_features["size"]) >= 10_000_000
        client.mail("", [f"SIZE={10**9}"])
        assert client.rcpt(mail.paths.bounce(attempt))[0] == 503
        client.rset()
        large = b"x" * 70 + b"\r\n"
        assert hand_over(client, "", mail.paths.bounce(attempt), large * 300_000) == 552
        assert client.noop()[0] == 250
    assert mail.hand_over(ANSWER, mail.paths.reply(attempt, ana), sender="a@x.example") == 250


def test_an_answer_after_the_attempts_record_is_gone_still_finds_its_patient(
    mail: Post, ana: str
) -> None:
    gone = mail.patients.new_attempt(ana)
    keys = mail.core.suppressions.keys(mail.mailbox(ana))
    assert mail.hand_over(ANSWER, mail.paths.reply(gone, ana), sender="a@x.example") == 250
    assert list(mail.core.client.scan_iter(match=keys.reply("*")))


def test_an_answer_to_a_mail_outside_of_any_series_is_kept(mail: Post, ana: str) -> None:
    keys = mail.core.suppressions.keys(mail.mailbox(ana))
    before = set(mail.core.client.scan_iter(match=keys.reply("*")))
    to = mail.paths.reply_of(mail.mailbox(ana))
    assert mail.hand_over(ANSWER, to, sender="a@x.example") == 250
    assert len(set(mail.core.client.scan_iter(match=keys.reply("*"))) - before) == 1


def test_an_answer_to_nobody_is_told_to_its_sender_and_a_bounce_is_dropped(mail: Post) -> None:
    patient = mail.patients.new_id()
    gone = mail.patients.new_attempt(patient)
    assert mail.hand_over(ANSWER, mail.paths.reply(gone, patient), sender="a@x.example") == 550
    assert mail.hand_over(DEAD, mail.paths.bounce(gone)) == 250
