"""The health strip as a person reads it: its sentences, what it stands on, and where their links lead."""

import re
from html import unescape
from typing import NamedTuple

SECTION = re.compile(r'<section id="overview-health".*?</section>', re.DOTALL)
SENTENCE = re.compile(r'<p class="ov-sentence ov-level-(\w+)">(.*?)</p>', re.DOTALL)
STATE = re.compile(r'<li class="ov-level-(\w+)">(.*?)</li>', re.DOTALL)
LINK = re.compile(r'<a class="ov-link" href="([^"]+)">(.*?)</a>', re.DOTALL)
# Names of symbols, and the words that stand for them.
SYMBOL = re.compile(r'<span class="(?:material-symbols-outlined|vp-sr)"[^>]*>[^<]*</span>')
TAG = re.compile(r"<[^>]+>")


class Said(NamedTuple):
    level: str
    words: str
    links: dict[str, str]  # addresses by their words


class Strip(NamedTuple):
    sentences: list[Said]
    states: list[Said]

    @property
    def told(self):
        return [(said.level, said.words) for said in self.sentences]

    @property
    def stands_on(self):
        return [said.words for said in self.states]

    @property
    def addresses(self):
        return [url for said in (*self.sentences, *self.states) for url in said.links.values()]


def strip_of(page):
    html = SECTION.search(page)[0]
    return Strip(_said(SENTENCE, html), _said(STATE, html))


def _said(pattern, html):
    return [
        Said(level, _words(inner), {_words(words): unescape(url) for url, words in LINK.findall(inner)})
        for level, inner in pattern.findall(html)
    ]


def _words(html):
    return " ".join(unescape(TAG.sub("", SYMBOL.sub("", html))).split())
