"""Who is meant by a name: pure functions on plain values, with no database, no clock and no part of Django."""
