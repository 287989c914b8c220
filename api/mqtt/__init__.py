"""The bridge to an MQTT broker, and by it to Home Assistant."""
