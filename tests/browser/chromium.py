"""The browser of this machine, as tests and `make screenshots` drive it."""

import shutil

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ARGUMENTS = [
    # Chromium's sandbox refuses to run as root, and the only pages it opens here are our own.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = {"desk": {"width": 1360, "height": 900}, "phone": {"width": 375, "height": 812}}
