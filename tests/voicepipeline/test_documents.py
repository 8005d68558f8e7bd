"""What README and docs/ lead to and show is there."""

import re

import pytest

from tests import screenshots
from tests.environment import CHECKOUT

DOCUMENTS = [CHECKOUT / "README.md", CHECKOUT / "CHANGELOG.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)#\s]+)|(?:src|srcset|href)=\"([^\"#]+)")
PICTURE = re.compile(r"!\[([^\]]*)\]|<img[^>]* alt=\"([^\"]*)\"|<img")
MOST_BYTES = 1_500_000


def linked_from(document):
    for written in LINK.finditer(document.read_text()):
        address = written[1] or written[2]
        if "://" not in address and not address.startswith(("/", "mailto:")):
            yield (document.parent / address).resolve()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_what_a_document_links_to_is_there(document):
    assert [str(path) for path in linked_from(document) if not path.exists()] == []


def test_every_picture_says_in_words_what_it_shows():
    texts = [found[1] or found[2] for document in DOCUMENTS for found in PICTURE.finditer(document.read_text())]
    assert texts
    assert all(text and len(text) > 20 for text in texts)


def test_the_pictures_are_those_that_are_taken_and_each_is_shown():
    shown = {path for document in DOCUMENTS for path in linked_from(document) if path.suffix == ".png"}
    assert {path.stem for path in shown} == {picture.name for picture in screenshots.WANTED}
    assert shown == set(screenshots.PICTURES.iterdir())


def test_the_pictures_are_small_enough_for_a_clone():
    assert sum(path.stat().st_size for path in screenshots.PICTURES.iterdir()) < MOST_BYTES
