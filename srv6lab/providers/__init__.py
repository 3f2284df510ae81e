"""Where a lab runs: one file a provider, each with the four verbs of `base.Provider`."""
