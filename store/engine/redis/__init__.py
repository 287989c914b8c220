"""The engine on Redis or Valkey 7.0 and later: one server, one with replicas, or a cluster."""
