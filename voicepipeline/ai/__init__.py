"""The AI provider as the stages see it: two calls that return plain values or raise a StageFault in our words."""
