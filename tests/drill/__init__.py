"""A drill of a cluster on loopback: three processes, three Valkey servers under three Sentinels, a
pretend ChirpStack with lights, a steady load, and faults on request."""
