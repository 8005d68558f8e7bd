"""The stage engine: the only code that writes StageRun.

Rows are the truth, the queue is a doorbell. Every change is one transaction that locks the artifact first, and every
write of a worker is fenced by the token of its lease.
"""
