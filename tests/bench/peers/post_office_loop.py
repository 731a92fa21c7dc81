"""django-post-office in its best shape found; runs in the environment of ``requirements.txt``.

``python post_office_loop.py SMTP_PORT POSTGRES_DIRECTORY`` prints a line once it is ready. It reads
a letter, as one JSON line, and then numbers, one a line: it queues so many e-mails, sends them with
two processes, and prints how long the sending took.
"""

# ruff: noqa: T201, PLC0415 - Django is imported when it is configured

from __future__ import annotations

import json
import sys
import time
from typing import Any

import django
from django.conf import settings

PROCESSES = 2
TOGETHER = 1_000


def _configure(port: int, directory: str) -> None:
    settings.configure(
        SECRET_KEY="bench",
        INSTALLED_APPS=["django.contrib.contenttypes", "post_office"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": "postgres",
                "USER": "postgres",
                "HOST": directory,
            }
        },
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=port,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        TEMPLATES=[
            {"BACKEND": "post_office.template.backends.post_office.PostOfficeTemplates"},
            {"BACKEND": "django.template.backends.django.DjangoTemplates"},
        ],
        USE_TZ=True,
        LOGGING={"version": 1, "loggers": {"post_office": {"level": "ERROR"}}},
        # Fewer rounds, and no row of log for what went well: it is faster so.
        POST_OFFICE={"BATCH_SIZE": 5_000, "LOG_LEVEL": 1, "THREADS_PER_PROCESS": 2},
    )
    django.setup()


def _queue(count: int, letter: dict[str, str]) -> None:
    from post_office import mail

    for start in range(0, count, TOGETHER):
        several: list[dict[str, Any]] = [
            {
                "recipients": [f"patient{number}@example.org"],
                "sender": letter["sender"],
                "subject": letter["subject"],
                "message": letter["text"],
                "html_message": letter["html"],
                "headers": {"List-Unsubscribe": letter["unsubscribe"]},
            }
            for number in range(start, min(start + TOGETHER, count))
        ]
        mail.send_many(several)


def _main() -> None:
    _configure(int(sys.argv[1]), sys.argv[2])
    from django.core.management import call_command
    from post_office.mail import send_queued_mail_until_done
    from post_office.models import STATUS, Email

    call_command("migrate", verbosity=0)
    print(json.dumps({}), flush=True)
    letter = json.loads(sys.stdin.readline())
    for line in sys.stdin:
        count = int(line)
        _queue(count, letter)
        began = time.monotonic()
        send_queued_mail_until_done(f"{sys.argv[2]}/queue", processes=PROCESSES)
        took = time.monotonic() - began
        sent = Email.objects.filter(status=STATUS.sent).count()
        assert sent == count
        Email.objects.all().delete()
        print(json.dumps({"took_s": took}), flush=True)


if __name__ == "__main__":
    _main()
