"""ChirpStack's own log of events: the streams that it writes to its Redis, beside all webhooks.

A webhook is posted once and never again. An entry of a stream stays until newer ones push it out,
so whoever was away reads on from where they stood.

`device:stream:event` has the events of all devices, `device:{<DevEUI>}:stream:event` those of one.
Each entry has one field: its name is the kind of event, its value the `integration.*` message in
Protobuf. Source: chirpstack/chirpstack v4.19, chirpstack/src/integration/redis.rs; settings under
`[monitoring]`, `device_event_log_max_history` and `per_device_event_log_max_history`, 10 each
unless they are set. From 4.18 on Redis trims whole nodes, so that a few more are kept.
"""
