#!/usr/bin/env python
"""One door for every command."""

import os
import sys

KEYBOARD_INTERRUPT_STATUS = 130


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - somebody may run it with another Python
        sys.exit("Cannot start: this needs Python 3.11 or newer, and this is %s." % sys.version.split()[0])  # noqa: UP031
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voicepipeline.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Cannot start: Django is not installed for this Python. `make up` installs what is needed.")
    from voicepipeline.logs import log_uncaught
    from voicepipeline.refusals import REFUSAL, GaveUpError, StartError

    log_uncaught()
    try:
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, StartError) as error:
        sys.exit(f"{REFUSAL}{error}")
    except GaveUpError as error:
        sys.exit(f"Stopped: {error}")
    except KeyboardInterrupt:
        sys.exit(KEYBOARD_INTERRUPT_STATUS)


if __name__ == "__main__":
    main()
