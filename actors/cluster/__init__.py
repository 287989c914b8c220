"""What joins many processes into one service: who owns which shard, what they tell each other."""
