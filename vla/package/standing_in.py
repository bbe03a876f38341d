"""Find what tells who made a package in bytes, and put something else in its place."""

import html
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from vla.package.identities import NUMBERED, STAND_INS, Identity

LONG = 8  # bytes of a value that does not stand in numbers by chance: weights, pictures, films
BEFORE, AFTER = rb"(?<![A-Za-z0-9])", rb"(?![A-Za-z0-9])"
COMMIT_LENGTH, SHORT_COMMIT = 40, 7


class StandIns:
    """The values to be found, and what stands in for each."""

    def __init__(self, identities: Iterable[Identity]):
        self.identities = sorted(set(identities), key=lambda i: (i.kind, i.value))
        self._words = {i: self._word(i) for i in self.identities}
        self._of_group: dict[str, Identity] = {}
        forms = [(form, i) for i in self.identities for form in _forms(i)]
        parts = []
        # The longest first: an e-mail address before the user name that it begins with.
        for number, (form, identity) in enumerate(sorted(forms, key=lambda f: (-len(f[0]), f[0]))):
            self._of_group[f"v{number}"] = identity
            parts.append(b"(?P<v%d>%b)" % (number, _pattern(identity, form)))
        self._pattern = re.compile(b"|".join(parts) or rb"(?!)")
        self._beginnings = sorted(
            {form[:SHORT_COMMIT] if i.kind == "commit" else form.lower() for form, i in forms}
        )
        self._long = {form: i for form, i in forms if len(form) >= LONG and i.kind != "commit"}

    def find(self, content: bytes) -> set[Identity]:
        """What stands in a text."""
        return {self._of_group[match.lastgroup] for match, _ in self._matches(content)}

    def find_in_numbers(self, content: bytes) -> set[Identity]:
        """What stands in bytes that are no text: long values, as they are written."""
        return {identity for form, identity in self._long.items() if form in content}

    def replace(self, content: bytes) -> tuple[bytes, set[Identity]]:
        """A text without the values, and which of them it held."""
        found, parts, end = set(), [], 0
        for match, word in self._matches(content):
            found.add(self._of_group[match.lastgroup])
            parts += [content[end : match.start()], word]
            end = match.end()
        return b"".join([*parts, content[end:]]), found

    def _matches(self, content: bytes) -> Iterator[tuple[re.Match[bytes], bytes]]:
        """Each value with what stands in for it, in their order.

        The pattern is tried where a form begins only. Left to itself it tries every form at every
        byte, for no letter or character begins all of them, and takes fifty times as long.
        """
        lowered, end = content.lower(), 0
        for place in sorted({p for form in self._beginnings for p in _places(form, lowered)}):
            if place >= end and (match := self._pattern.match(content, place)):
                end = match.end()
                word = self._replacement(match)
                if word is not None:
                    yield match, word

    def _replacement(self, match: re.Match[bytes]) -> bytes | None:
        """None for a number that only begins as a commit does."""
        identity = self._of_group[match.lastgroup]
        if identity.kind == "commit":
            if not identity.value.startswith(match[0].decode()):
                return None
            return self._words[identity][: len(match[0])]
        return self._words[identity]

    def _word(self, identity: Identity) -> bytes:
        """Several of a kind are told apart by numbers, so that equal stays equal."""
        alike = [i for i in self.identities if i.kind == identity.kind]
        number = alike.index(identity) + 1
        if identity.kind == "commit":
            return f"{number:x}".ljust(COMMIT_LENGTH, "0").encode()
        word = STAND_INS[identity.kind]
        if identity.kind in NUMBERED and len(alike) > 1:
            word = f"{word} {number}" if word.istitle() else f"{word}-{number}"
        return word.encode()


def _places(form: bytes, content: bytes) -> Iterator[int]:
    """Where it stands, overlapping or not."""
    place = content.find(form)
    while place >= 0:
        yield place
        place = content.find(form, place + 1)


def _forms(identity: Identity) -> set[bytes]:
    """How a value may be written: as it is, without accents, and escaped for JSON, HTML and addresses."""
    value = identity.value
    plain = unicodedata.normalize("NFKD", value)
    written = {value, unicodedata.normalize("NFC", value), unicodedata.normalize("NFD", value)}
    written.add("".join(letter for letter in plain if not unicodedata.combining(letter)))
    for text in tuple(written):
        written |= {json.dumps(text)[1:-1], html.escape(text), quote(text, safe="/:@")}
    return {text.encode() for text in written}


def _pattern(identity: Identity, form: bytes) -> bytes:
    escaped = re.escape(form)
    if identity.kind == "commit":
        begin = re.escape(form[:SHORT_COMMIT])
        return rb"(?<![0-9a-f])%b[0-9a-f]{0,33}(?![0-9a-f])" % begin
    if identity.kind == "project folder":
        return rb"%b(?![\w-])" % escaped
    if identity.kind == "folder":  # with all below it
        return rb"%b(?![A-Za-z0-9])(?:/[\w.@+~-]+)*" % escaped
    if identity.kind == "further word":
        return rb"(?i:%b)" % escaped
    if identity.kind in ("user name", "account"):
        return BEFORE + escaped + AFTER
    return BEFORE + rb"(?i:%b)" % escaped + AFTER
