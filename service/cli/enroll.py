"""`aftervisit enroll`: one patient, from a shell."""

from __future__ import annotations

import click

from service.cli.output import as_json, emit, examples


@click.command(
    epilog=examples(
        "aftervisit enroll --clinic riverside --given-name Ana \\",
        '    --phone "(503) 555-0142" --sms-consent verbal \\',
        "    --email ana@example.org --email-consent written \\",
        "    --wording 2026-01 --timezone America/Los_Angeles --state OR \\",
        "    --bedtime 22:30 --series restless-legs --start 2026-03-02",
    )
)
@click.option(
    "--clinic", default="", metavar="ID", help="Id of the clinic; not needed where there is one."
)
@click.option("--given-name", default="", metavar="NAME", help="As the e-mails greet them.")
@click.option("--phone", default="", metavar="NUMBER", help="Mobile number, for texts.")
@click.option("--email", default="", metavar="ADDRESS", help="Mailbox, for e-mail.")
@click.option("--language", default="en", show_default=True, help="Language of the messages.")
@click.option("--timezone", default="", metavar="ZONE", help="Such as America/New_York.")
@click.option(
    "--state", default="", metavar="CODE", help="US state, for its quiet hours. [default: clinic's]"
)
@click.option("--bedtime", default="", metavar="HH:MM", help="Usual bedtime. [default: 22:30]")
@click.option("--series", default="", metavar="NAME", help="See `aftervisit series list`.")
@click.option("--start", default="", metavar="DATE", help="First day. [default: today]")
@click.option(
    "--sms-consent", default="", metavar="METHOD", help="How they agreed to texts: verbal, written."
)
@click.option("--email-consent", default="", metavar="METHOD", help="The same for e-mail.")
@click.option(
    "--wording",
    default="",
    metavar="VERSION",
    help="Version of the consent wording they saw.",
)
@as_json
def enroll(as_json: bool, **form: str) -> None:
    """Enrol a patient in a series.

    Give a phone number, a mailbox or both, and for each how the patient agreed: nobody is
    written to without evidence of consent. Whatever is wrong, nothing is stored.
    """
    from messages.catalog import Catalog  # noqa: PLC0415 - --help needs none of it
    from service.bootstrap import clinics_of, open_core  # noqa: PLC0415
    from service.cli.opening import operator, settings  # noqa: PLC0415
    from service.enrolment.form import EnrolmentForm, validate  # noqa: PLC0415
    from service.errors import InvalidInput  # noqa: PLC0415

    filled, configured = EnrolmentForm(**form), settings()
    # Before the store is even opened: a slip of the keyboard leaves no trace on a new machine.
    try:
        validate(filled, clinics_of(configured), Catalog.load())
    except InvalidInput as error:
        if error.field == "timezone" and not filled.timezone.strip():
            sentence = "Give the patient's time zone: --timezone America/New_York, for example."
            raise InvalidInput("timezone", "timezone_missing", sentence) from None
        raise
    with open_core(configured) as core:
        receipt = core.enrolment.enrol(filled, source=operator())
    if as_json:
        emit(
            {
                "patient": receipt.patient,
                "subscriptions": [receipt.subscription],
                "new_patient": receipt.new_patient,
                "status": receipt.status.word,
                "suppressed": list(receipt.suppressed),
            }
        )
        return
    what = "Enrolled" if receipt.new_patient else "Known already; enrolled"
    click.echo(f"{what} in {filled.series.strip()}: patient {receipt.patient}")
    for channel in receipt.suppressed:
        word = "texts to this number" if channel == "sms" else "e-mail to this mailbox"
        click.echo(f"No {word}: its owner has opted out before.")
    click.echo(f"See what comes: aftervisit explain {receipt.patient}")
