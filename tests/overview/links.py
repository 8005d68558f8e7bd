"""What the links of a page carry: their words, where they lead, and how many rows stand there."""

import re
from html.parser import HTMLParser
from typing import NamedTuple

NUMBER = re.compile(r"\d[\d,]*")


class Link(NamedTuple):
    """`row` is all that is said where the link stands: in its row, its card or its sentence."""

    url: str
    words: str
    row: str


class Links(HTMLParser):
    """All links of a piece of HTML."""

    ROWS = ("li", "tr", "p", "g")

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.found = []
        self.open = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag in (*self.ROWS, "a"):
            self.open.append((tag, given, []))

    def handle_data(self, data):
        for _, _, words in self.open:
            words.append(data)

    def handle_endtag(self, tag):
        if self.open and self.open[-1][0] == tag:
            _, given, words = self.open.pop()
            if tag == "a" and given.get("href"):
                rows = [row for row in self.open if row[0] != "a"]
                said = given.get("aria-label") or _said(words)
                self.found.append((given["href"], said, rows[-1][2] if rows else words))

    @property
    def links(self):
        return list(dict.fromkeys(Link(url, words, _said(row)) for url, words, row in self.found))


def links_of(html):
    reader = Links()
    reader.feed(html)
    return reader.links


def _said(words):
    return " ".join("".join(words).split())


def number_in(words):
    """The first number of some words that stands by itself, or None."""
    found = NUMBER.search(words)
    return int(found[0].replace(",", "")) if found else None


def rows_at(response):
    """How many rows a page has that a link leads to, as the page itself counts them."""
    context = response.context
    if "cl" in context:
        return context["cl"].result_count
    if "tab" in context and "tabs" in context:  # suggested entries
        chosen = next(each for each in context["tabs"] if each["chosen"])
        return number_in(chosen["count"] or "0")
    if "problem" in context:
        return context["problem"].notes
    return number_in(str(context["count"]))  # names to check
