"""How fast frames go out: as fast as what was measured allows, and slower on evidence."""
