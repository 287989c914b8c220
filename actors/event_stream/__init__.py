"""Reading ChirpStack's stream of events: what happened while nobody listened is not lost."""
