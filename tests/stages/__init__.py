"""Controllable stages: each note's typed text is a script that says how every try of every stage goes."""
