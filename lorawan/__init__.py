"""What the network says and hears: Busylight codec, ChirpStack client, events, airtime."""
