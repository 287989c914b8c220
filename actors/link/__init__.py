"""What the air taught: how soon lights answer, how many frames are lost, how lights fall silent."""
