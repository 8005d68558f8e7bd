"""Settings, `.env.example` and the README table tell the same; values that cannot be right are named."""

import itertools
import os
import re
import secrets
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.environment import CHECKOUT
from voicepipeline import configuration
from voicepipeline.operations.first_run import DEMO_ACCOUNTS

VARIABLE = re.compile(r"^#?([A-Z][A-Z_]+)=", re.MULTILINE)


def read_by_the_settings() -> set[str]:
    settings = (CHECKOUT / "voicepipeline" / "settings.py").read_text()
    return set(re.findall(r'\benv\.\w+\(\s*"([A-Z_]+)"', settings))


def in_the_example() -> list[str]:
    return VARIABLE.findall((CHECKOUT / ".env.example").read_text())


def in_the_readme() -> list[str]:
    return re.findall(r"^\| `([A-Z_]+)` \|", (CHECKOUT / "README.md").read_text(), re.MULTILINE)


def test_the_settings_are_seen_to_read_variables():
    assert {"DATABASE_URL", "WORKERS", "DEBUG"} <= read_by_the_settings()


def test_the_example_lists_every_variable_once():
    assert sorted(in_the_example()) == sorted(read_by_the_settings())


def test_the_readme_lists_every_variable_once():
    assert sorted(in_the_readme()) == sorted(read_by_the_settings())


def test_each_variable_of_the_example_has_one_line_of_explanation():
    lines = (CHECKOUT / ".env.example").read_text().splitlines()
    for before, line in itertools.pairwise(lines):
        assert not VARIABLE.match(line) or re.match(r"# \w.*[.]$", before), line


def test_the_readme_tells_the_demo_accounts():
    readme = (CHECKOUT / "README.md").read_text()
    for account in DEMO_ACCOUNTS:
        assert f"| {account.username} | `{account.password}` |" in readme


def test_the_production_example_passes_the_deployment_checks(tmp_path):
    example = (CHECKOUT / ".env.example").read_text()
    (tmp_path / "env").write_text(example.replace("SECRET_KEY=\n", f"SECRET_KEY={secrets.token_urlsafe(48)}\n"))
    dropped = {*read_by_the_settings(), "DJANGO_ALLOW_ASYNC_UNSAFE"}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=CHECKOUT,
        env={**kept, "ENV_FILE": str(tmp_path / "env"), "VAR_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("value", ["", "many", "0", "201", "3.5"])
def test_a_number_out_of_bounds_is_refused_by_name(value):
    with pytest.raises(ImproperlyConfigured) as refused:
        configuration.whole_number("WORKERS", value, 1, 200)
    assert str(refused.value) == f"WORKERS must be a whole number from 1 to 200, not {value}."


@pytest.mark.parametrize(("value", "meaning"), [("yes", True), ("TRUE", True), ("1", True), ("no", False), ("", False)])
def test_yes_and_no_in_their_spellings(value, meaning):
    assert configuration.yes_or_no("DEBUG", value) is meaning


def test_a_word_that_is_neither_yes_nor_no_is_refused():
    with pytest.raises(ImproperlyConfigured, match="DEBUG must be yes or no, not ture"):
        configuration.yes_or_no("DEBUG", "ture")


@pytest.mark.parametrize(
    "value", ["backoffice.example.com", "ftp://example.com", "http://", "http://[x", "http://h:99999"]
)
def test_a_site_address_must_be_whole(value):
    with pytest.raises(ImproperlyConfigured, match="SITE_URL must be a full address"):
        configuration.site_address(value)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://ann:hush@h/x",
        "sqlite:///x",
        "ann:hush@h/x",
        "postgresql://ann:hush@h:port/x",
        "postgresql://ann:hush@h",
    ],
)
def test_an_address_that_names_no_postgresql_database_is_refused_without_its_password(url):
    with pytest.raises(ImproperlyConfigured) as refused:
        configuration.postgresql_database(url)
    assert "hush" not in str(refused.value)


def test_an_address_keeps_its_parts():
    database = configuration.postgresql_database("postgresql://ann:h%40sh@db.example.com:6432/club?sslmode=require")
    assert (database["USER"], database["PASSWORD"], database["HOST"]) == ("ann", "h@sh", "db.example.com")
    assert (database["PORT"], database["NAME"], database["OPTIONS"]) == (6432, "club", {"sslmode": "require"})


@pytest.mark.parametrize(
    ("value", "simulated", "address"),
    [
        ("", True, "http://127.0.0.1:8741/v1"),
        ("", False, "https://api.openai.com/v1"),
        ("http://localhost:9741/v1/", True, "http://localhost:9741/v1"),
        ("https://ai.example.com/v1", False, "https://ai.example.com/v1"),
    ],
)
def test_where_the_provider_answers(value, simulated, address):
    assert configuration.provider_address(value, simulated=simulated) == address


@pytest.mark.parametrize("value", ["ai.example.com", "ftp://ai.example.com", "https://ann:hush@ai.example.com/v1"])
def test_an_address_of_no_provider_is_refused_without_its_password(value):
    with pytest.raises(ImproperlyConfigured, match="OPENAI_BASE_URL must be an address") as refused:
        configuration.provider_address(value, simulated=False)
    assert "hush" not in str(refused.value)


def test_without_a_key_no_recording_leaves_this_machine():
    with pytest.raises(ImproperlyConfigured, match="OPENAI_API_KEY is not"):
        configuration.provider_address("https://ai.example.com/v1", simulated=True)


@pytest.mark.parametrize("value", ["sk-two words", "sk-line\nbreak", "sk-\u00e9"])
def test_a_key_that_fits_no_header_is_refused_without_being_shown(value):
    with pytest.raises(ImproperlyConfigured) as refused:
        configuration.provider_key(value)
    assert "sk-" not in str(refused.value)
