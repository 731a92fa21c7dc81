"""The rules a single message is held to. Each yields (rule, detail) for what it finds."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from messages.catalog import Message
from messages.plain import LONG_WORD, read, sentences, words
from messages.safety import SafetyRules
from messages.script import Script
from messages.sms import outside_gsm7, segment

Finding = tuple[str, str]
_MONTH_DAYS: Final = 30.44
_STRAIGHT: Final = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"")


def check_provenance(
    message: Message, sections: dict[str, str], rules: SafetyRules, today: date | None
) -> Iterator[Finding]:
    """Sources resolve to the guide, or a policy stands for them; the review is not too old."""
    for source in message.sources:
        if source not in sections:
            yield "unknown-source", f"{source} is no section of guide.toml"
    if not message.sources and message.strand != "service":
        yield "no-source", "name the section of the guide it comes from in sources"
    if not message.sources and not message.policy:
        yield "no-source", "name a section in sources, or the rule it follows in policy"
    if today is not None:
        if message.reviewed > today:
            yield "review-date", f"reviewed on {message.reviewed}, which is yet to come"
        elif (today - message.reviewed).days > rules.limits.review_months * _MONTH_DAYS:
            yield "review-date", f"last reviewed on {message.reviewed}: have a clinician read it"


def check_sms(script: Script, rules: SafetyRules) -> Iterator[Finding]:
    """The text is GSM-7 and one segment, or two with a reason."""
    if strange := outside_gsm7(script.literal("sms")):
        yield "gsm-7", f"{' '.join(strange)} would halve the room of the text: use plain characters"
    count = segment(script.shown["sms"]).count
    reason = script.message.two_segments
    if count > rules.limits.segments:
        yield "segments", f"takes {count} segments; {rules.limits.segments} is the most"
    elif count > 1 and not reason:
        yield "segments", f"takes {count} segments; shorten it, or say why in two_segments"
    elif count == 1 and reason:
        yield "segments", "fits one segment: remove two_segments from message.toml"


def check_subject(script: Script, rules: SafetyRules) -> Iterator[Finding]:
    """The subject is short, and shows nobody's name on a lock screen."""
    length, most = len(script.shown["subject"]), rules.limits.subject_characters
    if length > most:
        yield "subject-length", f"has {length} characters; {most} is the most"
    if "given_name" in script.variables("subject"):
        yield "subject-name", "names the patient where others can see it; leave the name out"


def check_must_say(script: Script, rules: SafetyRules) -> Iterator[Finding]:
    """Disclosures, ways to get help and the like are there."""
    for must in rules.must_say:
        if not must.covers(script.message.strand, script.message.topic):
            continue
        for block in must.blocks:
            used = script.variables(block)
            missing = [f"{{{{ {name} }}}}" for name in sorted(must.variables - used)]
            if must.any_variable and not must.any_variable & used:
                missing.append(
                    " or ".join(f"{{{{ {name} }}}}" for name in sorted(must.any_variable))
                )
            text = _straight(script.shown[block])
            patterns = must.patterns.get(script.language, ())
            missing += [found.pattern for found in patterns if not found.search(text)]
            if missing:
                yield must.rule, f"{block} lacks {', '.join(missing)}: {must.detail}"


def check_must_not_say(script: Script, rules: SafetyRules) -> Iterator[Finding]:
    """No sentence makes a forbidden claim, and short forms disclose nothing."""
    for must_not in rules.must_not_say:
        if must_not.languages and script.language not in must_not.languages:
            continue
        for block in must_not.blocks:
            text = script.literal(block) if must_not.literal else script.shown[block]
            for sentence in sentences(_straight(text)):
                if found := must_not.found(sentence):
                    yield must_not.rule, f'{block} says "{found}": {must_not.detail}'


def check_plain(script: Script, rules: SafetyRules) -> Iterator[Finding]:
    """Sentences and words are short, counted directly."""
    limits = rules.plain.get(script.language)
    if limits is None:
        yield "plain-language", f"no limits for {script.language!r}: add [plain.…] to safety.toml"
        return
    for block in ("subject", "sms", "email"):
        text = script.shown[block]
        for sentence in sentences(text):
            if (count := len(words(sentence))) > limits.words_per_sentence:
                yield "long-sentence", f'{block}: {count} words in "{sentence}"'
        for word in dict.fromkeys(words(text)):
            if any(len(part) > limits.letters for part in word.split("-")):
                yield "long-word", f"{block}: {word}"
    body = read(script.shown["email"], script.language)
    if body.words and body.words / body.sentences > limits.average_sentence:
        yield "long-sentence", f"email: {body.words / body.sentences:.1f} words a sentence"
    if body.long_share > limits.long_word_share:
        least = LONG_WORD.get(script.language, LONG_WORD["en"])
        share = f"{body.long_share:.0%} of its words"
        yield "long-word", f"email: {share} have {least} syllables or more"


def _straight(text: str) -> str:
    return text.translate(_STRAIGHT)
