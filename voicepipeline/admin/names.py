"""Names to check: the open questions, and the page that settles them."""
