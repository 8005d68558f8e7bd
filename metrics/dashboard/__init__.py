"""The page Metrics: how many notes came, how long they took, what failed, what it cost, over any span of time."""
