"""What was asked for many notes at once, and how far it is."""
