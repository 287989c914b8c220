"""Floor plans as files: what a picture is, whether it is harmless, and all plans in one archive."""
