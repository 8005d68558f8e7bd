from tests.stages.scripted import scripted

load, work, store, remove = scripted("draft_generation")
