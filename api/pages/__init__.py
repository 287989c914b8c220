"""The dashboard's files: what they are, and how they are answered."""
