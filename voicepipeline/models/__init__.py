from voicepipeline.models.people import User

__all__ = ["User"]
