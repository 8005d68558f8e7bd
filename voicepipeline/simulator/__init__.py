"""An OpenAI-compatible server on loopback: it plays the AI provider for development, demo, tests and load.

It is deterministic, says nothing that is not in the request or in its own files, and fails in every way that a real
provider can when it is told to. It needs nothing but the standard library and knows nothing of the pipeline.
"""
