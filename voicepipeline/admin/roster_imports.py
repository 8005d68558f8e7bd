"""A club's list of players: handed in, looked at, applied; and taken away as a file."""
