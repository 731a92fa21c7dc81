"""A made-up clinic and patient, for previews and for lint."""

from typing import Final

_NEUTRAL: Final = {
    "given_name": "Ana",
    "clinic_name": "Riverside Clinic",
    "clinic_phone": "(503) 555-0142",
    "clinic_address": "12 Harbor Street, Portland, OR 97201",
    "emergency_number": "911",
    "crisis_line": "988",
    "unsubscribe_url": "https://aftervisit.example/u/sample",
    "choices": "A 12 weeks of small steps, B 14 calm evenings",
    "task": "0k3mxq7r2vbt",
    "link": "https://aftervisit.example/p/sample",
    "page_url": "https://aftervisit.example/p/sample",
}

_WORDED: Final = {
    "en": {
        "series_title": "12 weeks of small steps",
        "frequency": "about 4 messages a week for 12 weeks",
        "answer": "Yes, come by on Monday at nine.",
    },
    "es": {
        "series_title": "12 semanas de pasos pequeños",
        "frequency": "unos 4 mensajes por semana durante 12 semanas",
        "answer": "Claro, venga el lunes a las nueve.",
    },
}


def sample_context(language: str) -> dict[str, str]:
    """Return a value for every variable a message may use.

    The number is from the range kept for fiction (555-01XX), the domain from RFC 2606. A language
    without words of its own gets the English ones.
    """
    return {**_NEUTRAL, **_WORDED.get(language, _WORDED["en"])}
