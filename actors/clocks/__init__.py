"""The clocks: this machine's, its steady time, and what is known of ChirpStack's."""
