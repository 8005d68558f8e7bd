"""Keys, pressed as somebody presses them who sees the page stand."""


def press(page, key):
    """A page may show itself before each of its scripts has come: what is pressed before reaches nobody."""
    page.wait_for_function("document.readyState == 'complete'")
    page.keyboard.press(key)
