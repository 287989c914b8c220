"""The verbs of the command line, each with its options; heavy imports wait until it is run."""
