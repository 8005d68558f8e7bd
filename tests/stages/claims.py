from tests.stages.scripted import scripted

load, work, store, remove = scripted("claims_extraction")
