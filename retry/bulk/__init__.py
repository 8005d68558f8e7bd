"""Retries of many voice notes: previewed and frozen, then requested little by little behind the pages."""
